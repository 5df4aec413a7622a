-- SPDX-License-Identifier: MIT
-- A folder is a layer: what the files of each folder may include.

local uv = require "luv"

local function set(text)
  local names = {}
  for name in text:gmatch("%S+") do
    names[name] = true
  end
  return names
end

local function union(...)
  local names = {}
  for _, one in ipairs({ ... }) do
    for name in pairs(one) do
      names[name] = true
    end
  end
  return names
end

-- ISO C without what asks the system for something: files, memory, time, signals, threads.
local PURE_C = set [[assert.h ctype.h errno.h float.h inttypes.h limits.h math.h stdalign.h
  stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdnoreturn.h string.h]]
local ISO_C = union(PURE_C, set [[complex.h fenv.h iso646.h locale.h setjmp.h signal.h stdio.h
  stdlib.h tgmath.h threads.h time.h uchar.h wchar.h wctype.h]])
local LUA = set "lua.h lauxlib.h lualib.h luaconf.h"
local CHECK = set "check.h"
local PUBLIC = set "mailslot.h"

-- folder: the system headers, and the folders of quoted ones ("" is src itself).
local TABLE = {
  ["src/include"] = { system = set "stddef.h stdint.h", own = {} },
  ["lua"] = { system = union(ISO_C, LUA, PUBLIC), own = { "lua", "public" } },
  ["src"] = { system = ISO_C, own = { "src", "src/wire", "public" } },
  ["src/queue"] = {
    system = set "errno.h stdatomic.h stdbool.h stddef.h stdint.h string.h",
    own = { "src/queue", "public" },
  },
  ["src/wire"] = {
    system = set "errno.h stdatomic.h stdbool.h stddef.h stdint.h string.h",
    own = { "src/wire", "public" },
  },
  ["src/os"] = { system = "any", own = { "src/os" } },
  ["src/gateway"] = {
    system = "gateway",
    own = { "src/gateway", "src/wire", "src/os", "public" },
  },
  ["src/linux"] = {
    system = union(PURE_C, set "stdio.h"),
    own = { "src/linux", "src/queue", "src/os", "src", "public" },
  },
  ["tests/conformance"] = {
    system = union(ISO_C, CHECK, PUBLIC),
    own = { "tests/conformance", "public" },
  },
  ["examples"] = { system = union(ISO_C, PUBLIC), own = {} },
}

-- The files through which the conformance tests know the system.
local SYSTEM_FILES = set [[tests/conformance/support.c tests/conformance/children.c
  tests/conformance/descriptors.c]]

-- What the system calls its users and groups.
local USERS = set "grp.h pwd.h"

local function entries(folder, kind)
  local names = {}
  for name, its_kind in uv.fs_scandir_next, assert(uv.fs_scandir(folder)) do
    if its_kind == kind then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

local function c_files(folder)
  local paths = {}
  for _, name in ipairs(entries(folder, "file")) do
    if name:find("%.[ch]$") then
      paths[#paths + 1] = folder .. "/" .. name
    end
  end
  return paths
end

local function exists(path)
  return uv.fs_stat(path) ~= nil
end

-- The folder of a quoted header as an include of a file in `folder` finds it.
local function folder_of(header, folder)
  if header == "mailslot.h" then
    return "public"
  end
  local candidates = { folder .. "/" .. header }
  if folder:find("^src") then
    candidates[2] = "src/" .. header
  end
  for _, path in ipairs(candidates) do
    if exists(path) then
      return path:match("^(.*)/")
    end
  end
  return "nowhere"
end

local function contains(list, value)
  for _, one in ipairs(list) do
    if one == value then
      return true
    end
  end
  return false
end

local function may_include_system(path, rule, header)
  if rule.system == "gateway" then
    return not PUBLIC[header]
  elseif rule.system == "any" or SYSTEM_FILES[path] then
    return not PUBLIC[header] and not LUA[header]
  end
  return rule.system[header] or (path == "lua/user.c" and USERS[header])
end

-- What is wrong with an #include line, or nil.
local function fault(path, folder, line)
  local rule = TABLE[folder]
  local open, header = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
  if not open then
    return "is not understood"
  elseif open == "<" then
    return not may_include_system(path, rule, header) and "is not for this layer" or nil
  end
  local where = folder_of(header, folder)
  return not contains(rule.own, where) and "leads to " .. where or nil
end

-- All #include lines of a folder that break its rule.
local function faults(folder)
  local list, seen = {}, 0
  for _, path in ipairs(c_files(folder)) do
    for line in io.lines(path) do
      if line:find("^%s*#%s*include") then
        seen = seen + 1
        local why = fault(path, folder, line)
        list[#list + 1] = why and ("%s: %s %s"):format(path, line, why)
      end
    end
  end
  return list, seen
end

describe("the layers", function()
  for folder in require("pl.tablex").sort(TABLE) do
    it("hold for the #include lines of " .. folder, function()
      local list, seen = faults(folder)
      assert.is_true(seen > 0, "no #include line was seen")
      assert.equal("", table.concat(list, "\n"))
    end)
  end

  it("are told for every folder of src", function()
    for _, name in ipairs(entries("src", "directory")) do
      assert.is_table(TABLE["src/" .. name], "src/" .. name .. " has no rule")
    end
  end)

  it("refuse what does not belong there", function()
    local function refused(path, line)
      assert.is_string(fault(path, path:match("^(.*)/"), line), path .. ": " .. line)
    end
    refused("src/include/mailslot.h", "#include <errno.h>")
    refused("lua/lmailslot.c", '#include "backend.h"')
    refused("lua/lmailslot.c", "#include <unistd.h>")
    refused("src/name.c", "#include <sys/stat.h>")
    refused("src/mailslot.c", '#include "queue/queue.h"')
    refused("src/queue/queue.c", "#include <stdlib.h>")
    refused("src/queue/queue.c", "#include <pthread.h>")
    refused("src/queue/queue.c", "#include <time.h>")
    refused("src/queue/queue.c", '#include "os/clock.h"')
    refused("src/queue/queue.c", '#include "name.h"')
    refused("src/wire/datagram.c", "#include <stdlib.h>")
    refused("src/wire/datagram.c", "#include <arpa/inet.h>")
    refused("src/wire/duplicates.c", "#include <time.h>")
    refused("src/wire/subject.c", '#include "name.h"')
    refused("src/wire/outbound.c", '#include "queue/queue.h"')
    refused("src/queue/queue.c", '#include "wire/cursor.h"')
    refused("src/linux/slot.c", '#include "wire/datagram.h"')
    refused("src/os/file.c", '#include "queue/queue.h"')
    refused("src/os/file.c", '#include "mailslot.h"')
    refused("src/linux/slot.c", "#include <fcntl.h>")
    refused("src/linux/slot.c", "#include <linux/futex.h>")
    refused("src/linux/slot.c", "#include <time.h>")
    refused("src/gateway/main.c", '#include "queue/queue.h"')
    refused("src/gateway/main.c", '#include "name.h"')
    refused("src/mailslot.c", '#include "gateway/gateway.h"')
    refused("tests/conformance/test_send.c", "#include <unistd.h>")
    refused("tests/conformance/support.c", '#include "queue/queue.h"')
  end)
end)

describe("every source file", function()
  local comments = { c = "/* %s */", h = "/* %s */", lua = "-- %s" }

  local function check_first_lines(folder)
    for _, name in ipairs(entries(folder, "directory")) do
      check_first_lines(folder .. "/" .. name)
    end
    for _, name in ipairs(entries(folder, "file")) do
      local comment = comments[name:match("%.(%w+)$")]
      if comment then
        local lines = io.lines(folder .. "/" .. name)
        local first = lines()
        if first:find("^#!") then
          first = lines()
        end
        assert.equal(comment:format("SPDX-License-Identifier: MIT"), first, folder .. "/" .. name)
      end
    end
  end

  it("names its licence first", function()
    for _, folder in ipairs({ "src", "lua", "scripts", "tests", "bench", "examples" }) do
      check_first_lines(folder)
    end
  end)
end)
