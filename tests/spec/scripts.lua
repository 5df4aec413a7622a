-- SPDX-License-Identifier: MIT
-- What the specs of server.lua and client.lua share: the scripts as child processes.

local support = require("tests.spec.support")
local uv = require("luv")

local scripts = {}

scripts.folder = assert(uv.fs_realpath("scripts"))

-- Starts server.lua or client.lua; options as those of support.spawn.
function scripts.start(name, arguments, options)
  options = options or {}
  options.env = options.env or {}
  if options.env.MAILSLOT == nil then
    options.env.MAILSLOT = false
  end
  local argv = { scripts.folder .. "/" .. name, table.unpack(arguments) }
  return support.spawn("lua5.4", argv, options)
end

function scripts.server(...)
  return scripts.start("server.lua", { ... })
end

function scripts.client(...)
  return scripts.start("client.lua", { ... })
end

-- Starts server.lua and waits until its slot exists.
function scripts.serving(...)
  local server = scripts.server("--verbose", ...)
  scripts.await(server, "err", "is created by process %d+\n")
  return server
end

-- Runs a shell command in which each $S is the folder of the scripts.
function scripts.shell(command)
  return support.spawn("sh", { "-c", command }, { env = { S = scripts.folder, MAILSLOT = false } })
end

-- Runs a script on a terminal of its own; what is written to the child is typed there. What
-- is preloaded (a sanitizer) is for the script, not for the program that makes the terminal.
function scripts.on_terminal(line)
  local command = ("LD_PRELOAD='%s' exec lua5.4 %s/%s"):format(
    uv.os_getenv("LD_PRELOAD") or "", scripts.folder, line)
  return support.spawn("script", { "-qec", command, "/dev/null" }, {
    env = { LD_PRELOAD = false, MAILSLOT = false, SHELL = "/bin/sh" },
  })
end

-- Waits until "out" or "err" of the child holds the pattern; returns what it matched.
function scripts.await(child, stream, pattern)
  support.await(function()
    return child[stream]:find(pattern) or child.is_over
  end, pattern)
  return child[stream]:match(pattern)
    or error(("no %s in %q, errors: %q"):format(pattern, child.out, child.err), 2)
end

-- Waits for the end with the child's input left open; returns its exit status, or "signal N".
function scripts.finish(child)
  support.await(function()
    return child.is_over
  end, "the end of a script")
  local status, signal = child:finish()
  return signal ~= 0 and "signal " .. signal or status
end

-- Sends a signal; returns as finish.
function scripts.stop(child, signal)
  child:kill(signal or "sigint")
  return scripts.finish(child)
end

-- Sends messages with client.lua.
function scripts.send(...)
  scripts.client("--", ...):succeed()
end

-- The next lines that the child prints.
function scripts.lines(child, count)
  local list = {}
  for i = 1, count do
    list[i] = child:line()
  end
  return list
end

local function remove(folder)
  for name, kind in uv.fs_scandir_next, assert(uv.fs_scandir(folder)) do
    local path = folder .. "/" .. name
    if kind == "directory" then
      remove(path)
    else
      assert(uv.fs_unlink(path))
    end
  end
  assert(uv.fs_rmdir(folder))
end

-- Calls f with a new folder that is removed afterwards, whatever happens.
function scripts.with_folder(f)
  local folder = assert(uv.fs_mkdtemp("/tmp/mailslot-spec-XXXXXX"))
  local ok, failure = pcall(f, folder)
  remove(folder)
  if not ok then
    error(failure, 0)
  end
end

-- Makes the folder a checkout that has not been built.
function scripts.copy(folder)
  assert(uv.fs_mkdir(folder .. "/scripts", 493))
  for _, name in ipairs({ "server.lua", "client.lua", "mailslot_cli.lua" }) do
    assert(uv.fs_copyfile(scripts.folder .. "/" .. name, folder .. "/scripts/" .. name))
  end
end

return scripts
