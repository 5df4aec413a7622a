#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- Serves a mailslot: creates it, looks for messages and shows them, as the classic sample does.
-- This file also has to be readable for Lua 5.1, to tell its user which Lua to take.

local function give_up(text)
  io.stderr:write(arg[0]:match("[^/]*$"), ": ", text, "\n")
  os.exit(1)
end

if _VERSION ~= "Lua 5.4" then
  give_up("needs Lua 5.4, this is " .. _VERSION .. ": run it with lua5.4")
end
local has_uv, uv = pcall(require, "luv")
if not has_uv then
  local path = os.getenv("LUA_CPATH_5_4") or os.getenv("LUA_CPATH")
  if path and not path:find(";;", 1, true) then
    give_up("cannot find the Lua module luv in LUA_CPATH=" .. path
      .. " (end it with ;; to search the usual folders, too)")
  end
  give_up("needs the Lua module luv: apt-get install lua-luv")
end
local here = (uv.fs_realpath(arg[0]) or arg[0]):match("^.*/") or "./"
package.path = here .. "?.lua;" .. here .. "../share/lua/5.4/?.lua;" .. package.path
local cli = require("mailslot_cli")

local EXAMPLES = [[
The first check is at once. In text format the conversation of the classic sample
goes to standard output: "Checking new messages...", then "Message #1: ..." and so
on, numbered from 1 on every check, or "No new messages."; with --quiet only the
messages. The formats json and raw write messages alone. Everything else goes to
standard error.

A terminal gets control characters in escaped form, in every format but raw. Files
and pipes get them as they are; take json where a message may hold line breaks.

--follow is one check that does not end: it shows messages as they come and numbers
them on. --once alone ends after the first check, whatever it found; with --follow
or --wait that check waits for the first message and shows all that are there.
--wait ends with status 4 when no message came for so long. When nobody reads the
output any more, the next thing to write ends the server with status 0.

Examples:
   server.lua                              serve HelloWorld, look every five seconds
   server.lua -s jobs --follow -F json     a JSON object a line, as messages come
   server.lua -m 0620 -g staff             the users of that group may send, too
   server.lua -1 -W 10                     wait ten seconds at most, show what came
   server.lua -n 1 --follow -F raw > file  store one message, byte for byte

]]

local function add_options(parser)
  parser:option("-m --mode", "Who may send: 0600 this user only; with 0620 a group, with 0602 "
    .. "all other users, with 0622 both.")
    :argname("MODE"):choices({ "0600", "0620", "0602", "0622" }):default("0600")
  parser:option("-g --group", "That group, by name or number, instead of this process's own.")
    :argname("GROUP")
  parser:option("-i --interval", "Seconds between two checks (without --follow).")
    :argname("SEC"):default("5"):convert(cli.seconds)
  parser:flag("--follow", "Show each message as soon as it comes.")
  parser:flag("-1 --once", "End after one check.")
  parser:option("-n --count", "End after so many messages; what else is queued goes.")
    :argname("N"):convert(cli.count)
  parser:option("-W --wait", "End with status 4 when nothing came for so many seconds.")
    :argname("SEC"):convert(cli.seconds)
  parser:option("-F --format", "What a message looks like: text, a JSON object a line (data, "
    .. "or data_base64 if it is not UTF-8), or its bytes and nothing else.")
    :argname("FORMAT"):choices({ "text", "json", "raw" }):default("text")
  parser:flag("-T --timestamps", "Say when each message was sent (json: time, in seconds "
    .. "since 1970).")
  parser:flag("--meta", "Say who sent each message: pid, uid, gid, and its number seq; json: "
    .. "the time too.")
  parser:flag("-q --quiet", "No \"Checking new messages...\" and no \"No new messages.\"")
  parser:flag("-v --verbose", "Say on standard error what happens.")
end

local function parse_options()
  local parser = cli.parser("Create a mailslot and show the messages that arrive in it.",
    EXAMPLES .. cli.EXIT_HELP)
  add_options(parser)
  local options = parser:parse()
  if options.interval == 0 then
    parser:error("the interval must be above 0")
  end
  if options.group and (options.mode == "0600" or options.mode == "0602") then
    parser:error("--group needs --mode 0620 or 0622")
  end
  if options.format == "raw" and (options.timestamps or options.meta) then
    parser:error("raw output has no place for --timestamps or --meta")
  end
  return options
end

local function put(text)
  local written, why, errno = io.stdout:write(text)
  if written then
    written, why, errno = io.stdout:flush()
  end
  if written then
    return
  end
  if errno == cli.EPIPE then
    cli.leave(0)
  end
  cli.fail(1, "cannot write: " .. why)
end

-- RFC 3339, in local time.
local function timestamp(time)
  local whole = math.floor(time)
  local zone = os.date("%z", whole):gsub("(%d%d)$", ":%1")
  return os.date("%Y-%m-%dT%H:%M:%S", whole)
    .. (".%03d"):format(math.floor((time - whole) * 1000)) .. zone
end

local function base64(bytes)
  local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local function encode(group)
    local a, b, c = group:byte(1, 3)
    local bits, text = a * 65536 + (b or 0) * 256 + (c or 0), ""
    for shift = 0, #group do
      local at = math.floor(bits / 64 ^ (3 - shift)) % 64 + 1
      text = text .. digits:sub(at, at)
    end
    return text .. ("="):rep(3 - #group)
  end
  return (bytes:gsub("..?.?", encode))
end

local format = {}

-- Where a message from another machine comes from; anything may stand in its name.
local function from(message)
  if not message.host then
    return ""
  end
  local doubt = message.host_verified and "" or " unverified"
  return (", host %s%s"):format(cli.printable(message.host), doubt)
end

function format.text(options, is_terminal)
  return function(message, number)
    local line = "Message #" .. number
    if options.timestamps then
      line = timestamp(message.time) .. " " .. line
    end
    if options.meta then
      line = line .. (" (pid %d, uid %d, gid %d, seq %d%s)"):format(
        message.pid, message.uid, message.gid, message.seq, from(message))
    end
    return line .. ": " .. (is_terminal and cli.printable(message.data) or message.data) .. "\n"
  end
end

function format.json(options)
  local json = cli.need("dkjson", "lua-dkjson")
  local order = { keyorder = { "data", "data_base64", "time", "pid", "uid", "gid", "seq",
    "host", "host_verified" } }
  return function(message)
    local object = {}
    if options.meta then
      object.pid, object.uid, object.gid = message.pid, message.uid, message.gid
      object.seq = message.seq
      object.host, object.host_verified = message.host, message.host_verified
    end
    if options.meta or options.timestamps then
      object.time = message.time
    end
    if utf8.len(message.data) then
      object.data = message.data
    else
      object.data_base64 = base64(message.data)
    end
    return json.encode(object, order) .. "\n"
  end
end

function format.raw()
  return function(message)
    return message.data
  end
end

local function create(mailslot, options)
  local name, group = options.slot, math.tointeger(tonumber(options.group)) or options.group
  local valid, slot, text, code = pcall(mailslot.create, name,
    { mode = options.mode, group = group })
  if not valid then
    cli.fail(2, ("--group %s: %s"):format(options.group,
      slot:match("%(group: (.*)%)") or slot:match("%((.*)%)") or slot))
  end
  if slot then
    return slot
  end
  if code == "EEXIST" then
    local info = mailslot.info(name)
    local owner = info and "process " .. info.pid or "another process"
    cli.fail(3, ("slot %s is served by %s"):format(name, owner))
  end
  if code == "ENOENT" then
    local directory = os.getenv("MAILSLOT_DIR") or "/dev/shm"
    cli.fail(1, ("the directory of the slots, %s, is missing or cannot hold them"):format(
      directory))
  end
  cli.fail_with(code, text)
end

local function say(options, text)
  if options.format == "text" and not options.quiet then
    put(text .. "\n")
  end
end

-- Shows what is queued now, but no more than options.count in all; says how many that were.
local function show_queued(slot, options, show, shown)
  local queued = math.min(#slot, (options.count or math.huge) - shown.total)
  for _ = 1, queued do
    local message, text, code = slot:read({ timeout = 0, meta = true })
    if not message then
      cli.fail_with(code, text)
    end
    shown.total, shown.check = shown.total + 1, shown.check + 1
    put(show(message, shown.check))
    cli.pump()
  end
  return queued
end

local function is_done(options, shown)
  return options.once or shown.total == options.count
end

local function give_up_waiting(options)
  cli.fail(4, ("nothing came for %g s"):format(options.wait))
end

local function follow(slot, options, show, shown)
  say(options, "Checking new messages...")
  repeat
    local deadline = cli.now() + (options.wait or math.huge)
    local ready, text, code = cli.try_until(deadline, function(seconds)
      return slot:wait(seconds)
    end)
    if code == "ETIMEDOUT" or code == "EAGAIN" then
      give_up_waiting(options)
    elseif not ready then
      cli.fail_with(code, text)
    end
    show_queued(slot, options, show, shown)
  until is_done(options, shown)
end

local function check(slot, options, show, shown)
  say(options, "Checking new messages...")
  shown.check = 0
  local count = show_queued(slot, options, show, shown)
  if count == 0 then
    say(options, "No new messages.")
  end
  return count
end

local function check_now_and_then(slot, options, show, shown)
  local deadline
  while true do
    local count = check(slot, options, show, shown)
    if is_done(options, shown) then
      return
    end
    if count > 0 or not deadline then
      deadline = cli.now() + (options.wait or math.huge)
    end
    local left = deadline - cli.now()
    if left <= 0 and count == 0 then
      give_up_waiting(options)
    end
    cli.pause(math.max(0, math.min(options.interval, left)))
  end
end

local function main()
  cli.catch_signals()
  local options = parse_options()
  local mailslot = cli.mailslot(here)
  local show = format[options.format](options, uv.guess_handle(1) == "tty")
  local slot = create(mailslot, options)
  cli.hold(slot)
  if options.verbose then
    cli.note(("slot %s is created by process %d"):format(options.slot, uv.os_getpid()))
  end
  local shown = { total = 0, check = 0 }
  local waits = options.follow or (options.once and options.wait)
  local serve = waits and follow or check_now_and_then
  serve(slot, options, show, shown)
  if options.verbose then
    cli.note(("messages shown: %d"):format(shown.total))
  end
  cli.leave(0)
end

main()
