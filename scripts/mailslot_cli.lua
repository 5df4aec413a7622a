-- SPDX-License-Identifier: MIT
-- What server.lua and client.lua share: exit statuses, options, signals, waiting, escaping.
-- It lies beside the scripts in a checkout and on Lua's module path once installed.

local uv = require("luv")

local cli = { program = arg[0]:match("[^/]*$") }

-- The slot that the scripts meet in when nothing else is said.
cli.SLOT = "HelloWorld"

-- The errno value, which io functions return.
cli.EPIPE = 32

-- The longest single wait in seconds, and so the delay of a signal that comes during it.
local SLICE = 0.25

-- The longest time a mailslot can be told to wait, in seconds.
local LONGEST = 4294967

local STATUS = {
  EINVAL = 2,
  ENAMETOOLONG = 2,
  ENOENT = 3,
  EPIPE = 3,
  EHOSTUNREACH = 3,
  EEXIST = 3,
  EAGAIN = 4,
  ETIMEDOUT = 4,
  ENOSPC = 4,
}

cli.EXIT_HELP = [[
Exit status: 0 done, 1 failure, 2 usage, 3 no such slot or name taken,
4 full or timed out, 130 Ctrl-C, 143 SIGTERM.]]

-- Control characters and bytes that are not UTF-8, made visible: `\n`, `\27`, `\xff`.
function cli.printable(text)
  local short = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
  local function escape(byte)
    return short[byte] or ("\\x%02x"):format(byte:byte())
  end
  if not utf8.len(text) then
    return (text:gsub("[%c\127-\255]", escape))
  end
  local c1 = text:gsub("\xc2[\x80-\x9f]", function(pair)
    return (pair:gsub(".", escape))
  end)
  return (c1:gsub("%c", escape))
end

function cli.note(text)
  io.stderr:write(cli.program, ": ", cli.printable(text), "\n")
end

local held

-- What leave() has to close: the slot or the writer.
function cli.hold(handle)
  held = handle
end

-- The only way out. The Lua state is not closed, as luv would trip over its open handles.
function cli.leave(status)
  if held then
    held:close()
  end
  os.exit(status)
end

function cli.fail(status, text)
  cli.note(text)
  cli.leave(status)
end

-- Leaves with the status for the symbol of a mailslot error.
function cli.fail_with(code, text)
  cli.fail(STATUS[code] or 1, text)
end

-- require, or one line that says what to install.
function cli.need(module, package)
  local found, result = pcall(require, module)
  if found then
    return result
  end
  local path = os.getenv("LUA_PATH_5_4") or os.getenv("LUA_PATH")
  if path and not path:find(";;", 1, true) then
    cli.fail(1, ("cannot find the Lua module %s in LUA_PATH=%s (end it with ;; to search "
      .. "the usual folders, too)"):format(module, path))
  end
  cli.fail(1, ("needs the Lua module %s: apt-get install %s"):format(module, package))
end

-- Looks around the script: first in a checkout's build folders, then where an installation
-- with the same prefix has it. LUA_CPATH, if set, is an explicit wish and goes first.
local function extend_cpath(here)
  local near = here .. "../build/release/lua/?.so;" .. here .. "../build/dev/lua/?.so;"
    .. here .. "../lib/lua/5.4/?.so"
  if os.getenv("LUA_CPATH_5_4") or os.getenv("LUA_CPATH") then
    package.cpath = package.cpath .. ";" .. near
  else
    package.cpath = near .. ";" .. package.cpath
  end
end

-- Loads the mailslot module for a script that lies in the folder `here`.
function cli.mailslot(here)
  extend_cpath(here)
  local found, result = pcall(require, "mailslot")
  if found then
    return result
  end
  if result:find("module 'mailslot' not found", 1, true) then
    cli.fail(1, "cannot find the mailslot module: run scripts/run once to build it")
  end
  cli.fail(1, "cannot load the mailslot module: " .. result:match("[^\n]*"))
end

function cli.seconds(text)
  local value = tonumber(text)
  if value and value >= 0 and value <= LONGEST then
    return value
  end
  return nil, ("'%s' is not a number of seconds from 0 to %d"):format(text, LONGEST)
end

function cli.count(text)
  local value = math.tointeger(tonumber(text))
  if value and value > 0 then
    return value
  end
  return nil, ("'%s' is not a whole number above 0"):format(text)
end

local function default_slot()
  local name = os.getenv("MAILSLOT")
  return name and name ~= "" and name or cli.SLOT
end

-- An argparse parser with the option both scripts have; misuse of it ends with status 2.
function cli.parser(description, epilog)
  local argparse = cli.need("argparse", "lua-argparse")
  local parser = argparse(cli.program, description, epilog)
  parser:help_max_width(84):help_description_margin(30)
  function parser.error(self, text)
    io.stderr:write(self:get_usage(), "\n")
    cli.fail(2, (text:gsub("\n", ". ")))
  end
  -- argparse puts a short option above the end of its long one: here it starts the line.
  function parser.get_help(self)
    return (getmetatable(self).__index.get_help(self):gsub("\n   ( +)(%-%w %u+,)", "\n   %2%1"))
  end
  parser:option("-s --slot", "Name of the slot; $MAILSLOT sets another default.")
    :argname("NAME"):default(default_slot())
  return parser
end

-- The status to leave with, once a signal has come.
local signalled

local function leave_if_signalled()
  if signalled then
    cli.leave(signalled)
  end
end

-- One shot: should the first signal find the process stuck (writing to a pipe that nobody
-- empties, say), the second one meets the default action and ends it.
function cli.catch_signals()
  for name, status in pairs({ sigint = 130, sigterm = 143 }) do
    uv.signal_start_oneshot(uv.new_signal(), name, function()
      signalled = signalled or status
    end)
  end
  -- Caught, it lets a write fail with EPIPE; by default it would end the process on the spot.
  uv.new_signal():start("sigpipe", function() end)
end

-- Seconds on a clock that does not jump.
function cli.now()
  return uv.hrtime() / 1e9
end

-- Leaves if a signal has come; does not wait.
function cli.pump()
  uv.run("nowait")
  leave_if_signalled()
end

-- Waits until something happens in the event loop.
function cli.turn()
  uv.run("once")
  leave_if_signalled()
end

local timer = uv.new_timer()

function cli.pause(seconds)
  local over = false
  uv.update_time()
  timer:start(math.ceil(seconds * 1000), 0, function()
    over = true
  end)
  repeat
    cli.turn()
  until over
end

-- Calls `try` with the seconds it may wait, until it succeeds, fails for another reason than
-- time, or the deadline has passed. In slices, because only between them are signals heard.
function cli.try_until(deadline, try)
  while true do
    local left = math.max(0, deadline - cli.now())
    local result, text, code = try(math.min(left, SLICE))
    if result or left == 0 or (code ~= "ETIMEDOUT" and code ~= "EAGAIN") then
      return result, text, code
    end
    cli.pump()
  end
end

return cli
