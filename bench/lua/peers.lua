-- SPDX-License-Identifier: MIT
-- The ways to pass messages that a Lua program has. Each has create(name, size, is_over)
-- for the reader's end and open(name, size) for a writer's, which return functions:
--   reader: receive() -> message, close(); writer: send(message), close()
-- and, where there are such calls, receive_all() -> {message, ...}, send_all(messages).

local peers = {}

local function path_of(name, suffix)
  return (os.getenv("BENCH_FOLDER") or "/tmp") .. "/" .. name .. suffix
end

function peers.mailslot()
  local mailslot = require "mailslot"
  local forever = math.huge
  local peer = {}

  function peer.create(name)
    local slot = assert(mailslot.create(name))
    local read = slot.read
    return {
      receive = function() return assert(read(slot, forever)) end,
      -- Lists that stay in the cache: who falls behind gets no longer ones.
      receive_all = function()
        return assert(slot:read_all { timeout = forever, max = 128 })
      end,
      close = function() slot:close() end,
      slot = slot,
    }
  end

  function peer.open(name)
    local writer = assert(mailslot.open(name))
    local send = writer.send
    return {
      send = function(message) assert(send(writer, message, forever)) end,
      send_all = function(messages) assert(writer:send_all(messages, forever)) end,
      close = function() writer:close() end,
    }
  end

  function peer.send_once(name, message)
    assert(mailslot.send(name, message, forever))
  end

  return peer
end

function peers.luasocket()
  local dgram = require "socket.unix".dgram
  local peer = {}

  function peer.create(name)
    local socket = assert(dgram())
    assert(socket:bind(path_of(name, ".socket")))
    return {
      receive = function() return assert(socket:receive()) end,
      close = function() socket:close() end,
    }
  end

  function peer.open(name)
    local socket = assert(dgram())
    assert(socket:connect(path_of(name, ".socket")))
    return {
      send = function(message) assert(socket:send(message)) end,
      close = function() socket:close() end,
    }
  end

  return peer
end

-- A stream: all messages have one size, which spares it to tell where one ends.
function peers.luv()
  local uv = require "luv"
  local peer = {}

  -- Cuts what comes into messages; several writers each have a connection.
  local function listen_to(client, size, queue)
    local rest = ""
    client:read_start(function(problem, chunk)
      assert(not problem, problem)
      if not chunk then
        return client:close()
      end
      if rest ~= "" then
        chunk = rest .. chunk
      end
      local at = 1
      while at + size - 1 <= #chunk do
        queue.last = queue.last + 1
        queue[queue.last] = chunk:sub(at, at + size - 1)
        at = at + size
      end
      rest = chunk:sub(at)
    end)
  end

  function peer.create(name, size)
    local server = uv.new_pipe(false)
    local queue = { first = 1, last = 0 }
    assert(server:bind(path_of(name, ".pipe")))
    assert(server:listen(128, function()
      local client = uv.new_pipe(false)
      server:accept(client)
      listen_to(client, size, queue)
    end))
    local function receive()
      while queue.first > queue.last do
        uv.run("once")
      end
      local first = queue.first
      local message = queue[first]
      queue[first] = nil
      queue.first = first + 1
      return message
    end
    return { receive = receive, close = function() server:close() end }
  end

  -- Runs the loop until what `start` starts is done; returns its error.
  local function finish(start)
    local is_done, problem = false, nil
    start(function(code)
      is_done, problem = true, code
    end)
    while not is_done do
      uv.run("once")
    end
    return problem
  end

  -- The listener's backlog may be full.
  local function connect(path)
    local pipe, problem
    repeat
      pipe = uv.new_pipe(false)
      problem = finish(function(done) pipe:connect(path, done) end)
      if problem then
        pipe:close()
      end
    until problem ~= "EAGAIN"
    assert(not problem, problem)
    return pipe
  end

  function peer.open(name)
    local pipe = connect(path_of(name, ".pipe"))
    local function send(message)
      local sent = pipe:try_write(message) or 0
      if sent < #message then
        assert(not finish(function(done) pipe:write(message:sub(sent + 1), done) end))
      end
    end
    return { send = send, close = function() pipe:close() uv.run("nowait") end }
  end

  return peer
end

-- Likewise a stream. Each message is written at once, or it would not be sent.
function peers.fifo()
  local peer = {}

  function peer.create(name, size)
    local path = path_of(name, ".fifo")
    assert(os.execute("rm -f '" .. path .. "' && mkfifo '" .. path .. "'"))
    local file = assert(io.open(path, "r+b"))
    return {
      receive = function() return assert(file:read(size)) end,
      close = function() file:close() end,
    }
  end

  function peer.open(name)
    local file = assert(io.open(path_of(name, ".fifo"), "wb"))
    file:setvbuf("no")
    return {
      send = function(message) assert(file:write(message)) end,
      close = function() file:close() end,
    }
  end

  return peer
end

-- No queue at all: what the two programs cost that make and check messages, with a lock
-- for each message sent and a fresh string for each received.
function peers.floor()
  local floor = require "bench_floor"
  local peer = {}

  function peer.create(_, size, is_over)
    local received = 0
    return {
      receive = function()
        received = received + 1
        return floor.fresh(size, received % 32 == 0 and is_over())
      end,
      close = function() end,
    }
  end

  function peer.open()
    return {
      send = function(message) assert(floor.lock(nil, message)) end,
      close = function() end,
    }
  end

  return peer
end

return peers
