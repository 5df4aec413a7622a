-- SPDX-License-Identifier: MIT
-- What a send and a read cost in Lua; the columns are those of bench.c.
-- Usage: lua5.4 bench.lua [ROUNDS]      (with the module on package.cpath)

local mailslot = require "mailslot"
local uv = require "luv"

local SLOT <const> = "mailslot-bench"
local QUEUED_BYTES <const> = 32 << 20

local function now_s()
  return uv.hrtime() / 1e9
end

local function send_numbered(writer, size, id, count)
  local format = "<I4I4c" .. size - 8
  local filler = ("."):rep(size - 8)
  for i = 1, count do
    assert(writer:send(string.pack(format, id, i, filler), math.huge))
  end
end

-- Every message is there, each writer's in order: a lossy queue gets no figures.
local function read_numbered(slot, size, count)
  local last = {}
  for _ = 1, count do
    local message = assert(slot:read(math.huge))
    local id, i = string.unpack("<I4I4", message)
    assert(#message == size and i == (last[id] or 0) + 1, "a message is wrong")
    last[id] = i
  end
end

local function start_writer(size, id, count)
  local process = assert(uv.spawn(arg[-1], {
    args = { arg[0], "--writer", tostring(size), tostring(id), tostring(count) },
    stdio = { nil, 1, 2 },
  }, function(code)
    assert(code == 0, "a writer failed")
  end))
  return process
end

local function measure(size, writers)
  local slot <close> = assert(mailslot.create(SLOT))
  local writer <close> = assert(mailslot.open(SLOT))
  local count = QUEUED_BYTES // (size + 32) // 4
  local start = now_s()
  send_numbered(writer, size, 0, count)
  local send_ns = (now_s() - start) * 1e9 / count
  start = now_s()
  read_numbered(slot, size, count)
  local read_ns = (now_s() - start) * 1e9 / count
  for id = 1, writers do
    start_writer(size, id, count)
  end
  slot:wait(math.huge)
  start = now_s()
  read_numbered(slot, size, count * writers)
  local through = count * writers / (now_s() - start)
  uv.run()
  return through, send_ns, read_ns
end

local function median(values)
  table.sort(values)
  return values[#values // 2 + 1]
end

local function report(size, writers, rounds)
  local through, send_ns, read_ns = {}, {}, {}
  for i = 1, rounds do
    through[i], send_ns[i], read_ns[i] = measure(size, writers)
  end
  print(("Lua  %6d B  %d writer%s  %7.2f M/s through  %6.0f ns/send  %6.0f ns/read"):format(
    size, writers, writers == 1 and " " or "s",
    median(through) / 1e6, median(send_ns), median(read_ns)))
end

if arg[1] == "--writer" then
  local writer <close> = assert(mailslot.open(SLOT))
  send_numbered(writer, tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4]))
else
  local rounds = tonumber(arg[1] or 5)
  for _, size in ipairs { 64, 4096 } do
    for _, writers in ipairs { 1, 4 } do
      report(size, writers, rounds)
    end
  end
end
