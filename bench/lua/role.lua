-- SPDX-License-Identifier: MIT
-- A process of a run: what bench.h says of roles holds for it, too.
-- Usage: role.lua read|write SCENARIO PEER NAME BACK SIZE WRITERS SECONDS COUNT INDEX

local uv = require "luv"
package.path = arg[0]:match("^(.*)/") .. "/?.lua;" .. package.path

local role, scenario, peer_name, name, back = table.unpack(arg, 1, 5)
local size, writers, seconds, count, index =
  tonumber(arg[6]), tonumber(arg[7]), tonumber(arg[8]), tonumber(arg[9]), tonumber(arg[10])
local peer = require "peers"[peer_name]()

local now_ns <const> = uv.hrtime
local STRIDE <const> = 32 -- of 1024 ready-made messages there are as many strides
local FORMAT <const> = "<I8I4I4c" .. size - 16
local FILLER <const> = ("."):rep(size - 16)
local PAUSE_MS <const> = 1
local PAIRS <const> = 1000

io.stdout:setvbuf("line")

local function barrier()
  print("ready")
  assert(io.read(), "the driver has gone")
end

local function report(figure, value)
  print(("%s %.9g"):format(figure, value))
end

local function make(sequence, is_last)
  return string.pack(FORMAT, sequence, index, is_last and 1 or 0, FILLER)
end

local sequences = {}

-- Returns whether it was its writer's last.
local function check(message)
  local sequence, writer, is_last = string.unpack("<I8I4I4", message)
  local expected = (sequences[writer] or 0) + 1
  assert(#message == size and sequence == expected, "a message was lost or damaged")
  sequences[writer] = expected
  return is_last == 1
end

-- Messages that both sides have beforehand: the one with the number n is at n modulo
-- their number, and the last of all is another one.
local function make_ready()
  local ready = {}
  for i = 0, 1023 do
    ready[i] = string.pack(FORMAT, i + 1, 0, 0, FILLER)
  end
  return ready, string.pack(FORMAT, 0, 0, 1, FILLER)
end

local function report_percentiles(samples)
  table.sort(samples)
  for figure, part in pairs { p50_ns = 0.5, p99_ns = 0.99, ["p99.9_ns"] = 0.999 } do
    report(figure, samples[math.min(#samples, math.floor(#samples * part) + 1)])
  end
end

local read, write = {}, {}

function read.throughput()
  local stop -- for who does not learn it from a writer
  local reader = peer.create(name, size, function() return now_ns() > stop end)
  local receive = reader.receive
  local ended, messages = 0, 0
  barrier()
  stop = now_ns() + seconds * 1e9
  while ended < writers do
    if check(receive()) then
      ended = ended + 1
    end
    messages = messages + 1
  end
  report("end", now_ns())
  report("count", messages)
end

function write.throughput()
  local writer = peer.open(name, size)
  local send = writer.send
  barrier()
  local start = now_ns()
  local stop = start + seconds * 1e9
  local sequence, is_last = 0, false
  while not is_last do
    sequence = sequence + 1
    is_last = sequence % STRIDE == 0 and now_ns() > stop
    send(make(sequence, is_last))
  end
  report("start", start)
  writer.close()
end

function read.ready(reader)
  reader = reader or peer.create(name, size)
  local receive = reader.receive
  local ready, last = make_ready()
  local messages = 0
  barrier()
  while true do
    local message = receive()
    if message ~= ready[messages & 1023] then
      assert(message == last, "a message was lost or damaged")
      break
    end
    messages = messages + 1
  end
  report("end", now_ns())
  report("count", messages)
end

function write.ready(writer)
  writer = writer or peer.open(name, size)
  local send = writer.send
  local ready, last = make_ready()
  barrier()
  local start = now_ns()
  local stop = start + seconds * 1e9
  local messages = 0
  while messages % STRIDE ~= 0 or now_ns() < stop do
    send(ready[messages & 1023])
    messages = messages + 1
  end
  send(last)
  report("start", start)
  writer.close()
end

function read.batch()
  local reader = peer.create(name, size)
  if not reader.receive_all then
    return read.ready(reader)
  end
  local ready, last = make_ready()
  local messages = 0
  barrier()
  while true do
    local batch = reader.receive_all()
    for i = 1, #batch do
      if batch[i] ~= ready[messages & 1023] then
        assert(batch[i] == last, "a message was lost or damaged")
        report("end", now_ns())
        report("count", messages)
        return
      end
      messages = messages + 1
    end
  end
end

function write.batch()
  local writer = peer.open(name, size)
  if not writer.send_all then
    return write.ready(writer)
  end
  local ready, last = make_ready()
  local batches = {}
  for i = 0, 1023 do
    local batch = batches[i // STRIDE] or {}
    batches[i // STRIDE] = batch
    batch[#batch + 1] = ready[i]
  end
  barrier()
  local start = now_ns()
  local stop = start + seconds * 1e9
  local sent = 0
  while now_ns() < stop do
    writer.send_all(batches[sent % 32])
    sent = sent + 1
  end
  writer.send(last)
  report("start", start)
  writer.close()
end

-- The calls alone, both sides in one process, so that nobody waits: for our own and for
-- the floor, which has a send that is a lock and a read that is a fresh string.
local function open_pair()
  if peer_name == "floor" then
    local floor = require "bench_floor"
    return floor.lock, nil, floor.fresh, size
  end
  local mailslot = require "mailslot"
  local slot, writer = assert(mailslot.create(name)), assert(mailslot.open(name))
  return writer.send, writer, slot.read, slot
end

function read.pair()
  local send, writer, receive, slot = open_pair()
  local ready, received = make_ready(), {}
  local done, spent = 0, 0
  repeat
    local start = now_ns()
    for i = 1, PAIRS do
      send(writer or i, ready[i])
    end
    for i = 1, PAIRS do
      received[i] = receive(slot)
    end
    spent = spent + now_ns() - start
    done = done + PAIRS
    for i = 1, PAIRS do
      assert(not writer or received[i] == ready[i], "a message was lost or damaged")
    end
  until spent > seconds * 1e9
  report("send_and_read_ns", spent / done)
end

-- The time of sending follows the number.
local STAMPED <const> = "<I8I4I4I8c" .. size - 24

local function take_stamped(message, samples)
  local now = now_ns()
  local sequence, _, _, sent = string.unpack(STAMPED, message)
  samples[#samples + 1] = now - sent
  assert(sequence == #samples, "a message was lost or damaged")
end

function read.latency()
  local receive, samples = peer.create(name, size).receive, {}
  barrier()
  while #samples < count do
    take_stamped(receive(), samples)
  end
  report_percentiles(samples)
  barrier()
end

function write.latency()
  local writer = peer.open(name, size)
  local filler = ("."):rep(size - 24)
  barrier()
  for i = 1, count do
    uv.sleep(PAUSE_MS)
    writer.send(string.pack(STAMPED, i, 0, 0, now_ns(), filler))
  end
  barrier()
end

-- An event loop that reads when the slot's descriptor can be read from.
read["latency-fd"] = function()
  local slot, samples = peer.create(name, size).slot, {}
  local poll = uv.new_poll(slot:getfd())
  poll:start("r", function()
    take_stamped(slot:read(0), samples)
  end)
  barrier()
  while #samples < count do
    uv.run("once")
  end
  report_percentiles(samples)
  barrier()
end

write["latency-fd"] = write.latency

function read.pingpong()
  local reader = peer.create(name, size)
  barrier()
  local writer = peer.open(back, size)
  barrier()
  for _ = 1, count do
    writer.send(reader.receive())
  end
  barrier()
end

function write.pingpong()
  local writer, reader = peer.open(name, size), peer.create(back, size)
  local samples = {}
  barrier()
  barrier()
  for i = 1, count do
    local message = make(i)
    local start = now_ns()
    writer.send(message)
    local answer = reader.receive()
    samples[i] = now_ns() - start
    assert(answer == message, "a message was lost or damaged")
  end
  report_percentiles(samples)
  barrier()
end

function read.oneshot()
  local reader = peer.create(name, size)
  local sum, messages, last = 0, 0, math.maxinteger
  barrier()
  while messages < last do
    local sequence, _, is_last = string.unpack("<I8I4I4", reader.receive())
    sum = sum + sequence
    messages = messages + 1
    last = is_last == 1 and sequence or last
  end
  assert(sum == last * (last + 1) // 2, "messages were lost or doubled")
  report("end", now_ns())
  report("count", messages)
end

function write.oneshot()
  local send_once = peer.send_once or function(to, message)
    local writer = peer.open(to, size)
    writer.send(message)
    writer.close()
  end
  local sequence, is_last = 0, false
  barrier()
  local start = now_ns()
  local stop = start + seconds * 1e9
  while not is_last do
    sequence = sequence + 1
    is_last = now_ns() > stop
    send_once(name, make(sequence, is_last))
  end
  report("start", start)
end

local roles = role == "read" and read or write
roles[scenario]()
-- What a peer queues for an event loop is not waited for.
os.exit(true, true)
