-- SPDX-License-Identifier: MIT
-- The README does what it says: its blocks are run in order, from the root of the project.
--
-- A block of sh, lua or c must succeed; a text block right after it is what it prints. In
-- a comment above a block:
--   runs until the end    a command of sh that is started and goes on
--   printed by: COMMAND   a text block: what that command prints then
--   named only            it is not run; its commands, files and presets must exist

local support = require "tests.spec.support"
local scripts = require "tests.spec.scripts"
local uv = require "luv"

local BUILD = os.getenv("MAILSLOT_BUILD") or "build/dev"

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local README = read_file("README.md")

-- The fenced blocks: {language, text, directive (or nil), line}.
local function blocks()
  local list, block, directive = {}, nil, nil
  local number = 0
  for line in README:gmatch("([^\n]*)\n") do
    number = number + 1
    if block and line == "```" then
      list[#list + 1], block, directive = block, nil, nil
    elseif block then
      block.text = block.text .. line .. "\n"
    elseif line:find("^```") then
      block = { language = line:sub(4), text = "", directive = directive, line = number }
    else
      directive = line:match("^<!%-%- (.*) %-%->$") or (line == "" and directive or nil)
    end
  end
  return list
end

local run = {}

function run.sh(block)
  return support.spawn("sh", { "-ec", block.text }, {
    env = { LUA_CPATH_5_4 = false, LUA_CPATH = false, MAILSLOT = false },
  })
end

function run.lua(block)
  return support.spawn("lua5.4", { "-e", block.text }, {
    env = { LUA_CPATH_5_4 = BUILD .. "/lua/?.so;;" },
  })
end

function run.c(block)
  local program = os.tmpname()
  local compiler = support.spawn("sh", { "-ec",
    'cc -Wall -Wextra -Werror -Isrc/include -xc - -xnone "$0"/libmailslot.a -o "$1"',
    BUILD, program })
  compiler:write(block.text)
  compiler:succeed()
  local child = support.spawn(program, {})
  os.remove(program)
  return child
end

local function check_named(block)
  for line in block.text:gmatch("[^\n]+") do
    local command = line:gsub("^sudo ", ""):match("%S+")
    scripts.shell('command -v "' .. command .. '"'):succeed()
    local preset = line:match("%-%-preset (%S+)")
    local presets = read_file("CMakePresets.json")
    assert(not preset or presets:find(('"name": "%s"'):format(preset), 1, true), line)
  end
end

-- Building a release may be part of it.
local function start(block)
  block.text = "exec " .. block.text
  local child = run.sh(block)
  support.await(function()
    return child.out:find("\n") or child.is_over
  end, block.text, 120)
  return child
end

local function check_printed(child, text)
  support.await(function()
    return child.out:find(text, 1, true)
  end, text)
end

local function run_to_end(block)
  local child = run[block.language](block)
  child:finish()
  assert(child.status == 0, ("line %d: %s"):format(block.line, child.err))
  return child.out
end

describe("README.md", function()
  before_each(support.enter)
  after_each(support.leave)

  it("does in all its blocks what it says", function()
    local running, output, count = {}, nil, 0
    for _, block in ipairs(blocks()) do
      local directive = block.directive or ""
      local printer = directive:match("^printed by: (.*)$")
      if printer then
        check_printed(assert(running[printer], "nothing runs: " .. printer), block.text)
      elseif directive == "runs until the end" then
        running[block.text:match("^[^\n]*")] = start(block)
      elseif directive == "named only" then
        check_named(block)
      elseif block.language == "text" then
        assert.equal(block.text, output, "line " .. block.line)
      elseif block.language ~= "" then
        output = run_to_end(block)
      end
      count = count + 1
    end
    for text, child in pairs(running) do
      assert(not child.is_over, text .. " has ended: " .. child.err)
      child:kill("sigterm")
      assert.equal(143, (child:finish()))
    end
    assert.is_true(count >= 10, "the README has hardly any blocks")
  end)

  it("links to files that exist", function()
    for path in README:gmatch("%]%(([^)#]+)%)") do
      assert.is_truthy(uv.fs_stat(path), path)
    end
  end)

  it("names every function and method of the module, and no other", function()
    local mailslot = require "mailslot"
    local slot <close> = assert(mailslot.create("readme"))
    local writer <close> = assert(mailslot.open("readme"))
    local objects = {
      ["mailslot."] = mailslot,
      ["slot:"] = getmetatable(slot).__index,
      ["writer:"] = getmetatable(writer).__index,
    }
    for prefix, functions in pairs(objects) do
      for name in README:gmatch("`" .. prefix .. "(%l[%l_]*)%(") do
        assert.is_function(functions[name], prefix .. name)
      end
      for name, value in pairs(functions) do
        if type(value) == "function" then
          assert.is_truthy(README:find("`" .. prefix .. name .. "(", 1, true), prefix .. name)
        end
      end
    end
  end)
end)
