#!/usr/bin/env lua5.4
-- SPDX-License-Identifier: MIT
-- Sends messages to a mailslot: those of the command line or what comes on standard input.
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

local CHUNK = 65536

-- How often, in seconds, to look whether an awaited slot or an awaited read has come.
local LOOK = 0.05

local EXAMPLES = [[
Without messages on the command line, standard input is sent as it comes, a message
a line without its line break; an empty line is an empty message. Memory stays small
however long the input is. Put -- before a message that begins with a dash.

A message that was sent is in the slot, whole; nobody waits until it is read. With
--wait the client waits so long for the slot to appear (else status 3) and, for each
message, for space in a full slot (else status 4); without, it ends at once. When
the server was restarted while the client ran, the message at hand goes to the new
one; with nobody serving the slot any more the client ends with status 3.

--sample pauses three seconds before the third message, and up to ten until the
server has read the first two, so that it shows two, then one.

Examples:
   client.lua "first message" "second message"  two messages
   tail -f log | client.lua -s jobs             a message a line, as they come
   find . -print0 | client.lua -0               a message a file name
   client.lua -w -W 5 < picture.png             one message; waits 5 s at most

]]

local function add_options(parser)
  parser:argument("message", "What to send, a message each."):args("*")
  parser:mutex(
    parser:flag("-0 --null", "Messages on standard input end in a NUL byte, not a line break."),
    parser:flag("-w --whole", "The whole standard input is one message."),
    parser:flag("--sample", "Send the three messages of the classic sample.")
  )
  parser:option("-W --wait", "Wait up to so many seconds for the slot, and for space in it.")
    :argname("SEC"):default("0"):convert(cli.seconds)
  parser:flag("-v --verbose", "Say on standard error what happens.")
end

local function parse_options()
  local parser = cli.parser("Send messages to a mailslot.", EXAMPLES .. cli.EXIT_HELP)
  add_options(parser)
  local options = parser:parse()
  if #options.message > 0 and (options.null or options.whole or options.sample) then
    parser:error("--null, --whole and --sample go without messages on the command line")
  end
  return options
end

local function say(sender, text)
  if sender.options.verbose then
    cli.note(text)
  end
end

-- The command line that serves the slot: a checkout's script, or the installed program.
local function server_command(name)
  local script = arg[0]:match("^(.*)client%.lua$")
  local command = script and "lua5.4 " .. script .. "server.lua" or "mailslot-server"
  if name == cli.SLOT then
    return command
  end
  local is_plain = name:find("^[%w_./-]+$")
  return ("%s -s %s"):format(command, is_plain and name or "'" .. name:gsub("'", "'\\''") .. "'")
end

-- Opens the slot, waiting for it to appear if the user said so.
local function open(sender)
  local name = sender.options.slot
  local deadline = cli.now() + sender.options.wait
  while true do
    local writer, text, code = sender.mailslot.open(name)
    if writer then
      sender.writer = writer
      cli.hold(writer)
      return say(sender, ("slot %s is opened"):format(name))
    end
    if code ~= "ENOENT" and code ~= "EHOSTUNREACH" then
      cli.fail_with(code, text)
    elseif cli.now() >= deadline then
      cli.fail_with(code, code == "ENOENT"
        and ("nobody serves slot %s: first run %s"):format(name, server_command(name))
        or text)
    end
    cli.pause(LOOK)
  end
end

local function try_send(sender, message)
  return cli.try_until(cli.now() + sender.options.wait, function(seconds)
    return sender.writer:send(message, seconds)
  end)
end

-- Sends one message; if the server has gone, once more to the one that took its place.
local function send(sender, message)
  local sent, text, code = try_send(sender, message)
  if code == "EPIPE" then
    sender.writer:close()
    open(sender)
    sent, text, code = try_send(sender, message)
  end
  if not sent then
    if code == "EAGAIN" then
      text = ("slot %s is full"):format(sender.options.slot)
    end
    cli.fail_with(code, ("message %d was not sent: %s"):format(sender.count + 1, text))
  end
  sender.count = sender.count + 1
  say(sender, ('The message "%s" is written to the slot'):format(message))
end

-- Returns what is read from a file; files are always ready.
local function read_file()
  cli.pump()
  local chunk, text = uv.fs_read(0, CHUNK, -1)
  if not chunk then
    cli.fail(1, "cannot read standard input: " .. text)
  end
  return chunk ~= "" and chunk or nil
end

-- The stream that reads standard input; nil for a file. libuv makes what it reads from
-- non-blocking; a pipe is opened anew so as not to do that to the processes that share it.
local function open_stream()
  local kind, stream = uv.guess_handle(0), nil
  if kind == "tty" then
    cli.note("type messages, one a line; Ctrl-D ends")
    return uv.new_tty(0, true)
  elseif kind == "pipe" then
    stream = uv.new_pipe(false)
    stream:open(uv.fs_open("/proc/self/fd/0", uv.constants.O_RDONLY, 0) or 0)
  elseif kind == "tcp" then
    stream = uv.new_tcp()
    stream:open(0)
  end
  return stream
end

-- Returns a function that returns the next chunk of standard input, nil at its end.
local function open_input()
  local stream = open_stream()
  if not stream then
    return read_file
  end
  return function()
    local failure, chunk, is_over
    stream:read_start(function(...)
      failure, chunk = ...
      is_over = true
      stream:read_stop()
    end)
    repeat
      cli.turn()
    until is_over
    if failure then
      cli.fail(1, "cannot read standard input: " .. failure)
    end
    return chunk
  end
end

-- The size of the largest message the slot takes: longer input need not be gathered.
local function largest_message(writer)
  local info = writer:info()
  if not info then
    return math.huge
  elseif info.max_message_size > 0 then
    return info.max_message_size
  end
  return info.max_bytes
end

-- Sends standard input: a message up to each separator, or all of it as one.
local function send_input(sender, separator)
  local limit = largest_message(sender.writer)
  local pieces, size = {}, 0
  local function gather(piece)
    pieces[#pieces + 1], size = piece, size + #piece
    if size > limit then
      cli.fail(1, ("message %d is larger than slot %s takes"):format(
        sender.count + 1, sender.options.slot))
    end
  end
  local function flush()
    local message = table.concat(pieces)
    pieces, size = {}, 0
    send(sender, message)
  end
  for chunk in open_input() do
    local start = 1
    local stop = separator and chunk:find(separator, start, true)
    while stop do
      gather(chunk:sub(start, stop - 1))
      flush()
      start = stop + 1
      stop = chunk:find(separator, start, true)
    end
    gather(chunk:sub(start))
  end
  if size > 0 or not separator then
    flush()
  end
end

-- Three seconds, and up to ten until what was sent so far has been read.
local function pause_for_reader(sender)
  local info = sender.writer:info()
  local start, sent = cli.now(), info and info.received
  local has_read
  repeat
    cli.pause(LOOK)
    info = sender.writer:info()
    has_read = not info or not sent or info.received - info.count >= sent
    local waited = cli.now() - start
  until waited >= 10 or (waited >= 3 and has_read)
end

local function send_sample(sender)
  send(sender, "Message 1 for mailslot")
  send(sender, "Message 2 for mailslot")
  pause_for_reader(sender)
  send(sender, "Message 3 for mailslot")
end

local function main()
  cli.catch_signals()
  local options = parse_options()
  local sender = { options = options, mailslot = cli.mailslot(here), count = 0 }
  open(sender)
  if options.sample then
    send_sample(sender)
  elseif #options.message > 0 then
    for _, message in ipairs(options.message) do
      send(sender, message)
    end
  else
    send_input(sender, not options.whole and (options.null and "\0" or "\n"))
  end
  say(sender, ("messages sent: %d"):format(sender.count))
  cli.leave(0)
end

main()
