-- SPDX-License-Identifier: MIT
-- What the road nats costs on one machine: two gateways and a server, one message after the
-- other (latency) and as many as there are (messages a second), and the memory of a gateway
-- that has nothing to do.
-- Usage: LUA_CPATH_5_4='build/release/lua/?.so;;' lua5.4 bench/nats.lua [BUILD] [COUNT]
-- Needs nats-server. Everything is in a new folder below /tmp, which is removed, and on a
-- free port of 127.0.0.1.

local mailslot = require "mailslot"
local uv = require "luv"

local build = assert(uv.fs_realpath(arg[1] or "build/release"))
local count = math.tointeger(arg[2] or 20000)
local SIZE <const> = 100
local WAIT_S <const> = 30

local folder = assert(uv.fs_mkdtemp("/tmp/mailslot-bench-XXXXXX"))
local children = {}

local function now_s()
  return uv.hrtime() / 1e9
end

local function path(name)
  return folder .. "/" .. name
end

local function write(name, text)
  local file <close> = assert(io.open(path(name), "w"))
  assert(file:write(text))
  return path(name)
end

local function free_port()
  local socket = uv.new_tcp()
  assert(socket:bind("127.0.0.1", 0))
  local port = socket:getsockname().port
  socket:close()
  return port
end

-- Starts a program and waits until it has written the text to standard error.
local function start(program, arguments, text)
  local err, seen, deadline = uv.new_pipe(false), "", now_s() + WAIT_S
  local process, pid
  process, pid = uv.spawn(program, { args = arguments, stdio = { nil, nil, err } }, function()
    process:close()
  end)
  assert(process, pid)
  children[#children + 1] = process
  err:read_start(function(_, chunk)
    seen = seen .. (chunk or "")
    if not chunk then
      err:close()
    end
  end)
  local tick = uv.new_timer()
  tick:start(10, 10, function() end)
  while not seen:find(text, 1, true) do
    assert(now_s() < deadline, program .. " does not start: " .. seen)
    uv.run("once")
  end
  tick:close()
  return pid
end

local function start_gateway(name, url)
  for _, kind in ipairs { ".slots", ".state" } do
    assert(uv.fs_mkdir(path(name .. kind), 448))
  end
  assert(uv.os_setenv("MAILSLOT_DIR", path(name .. ".slots")))
  local config = write(name .. ".lua", ([[
    host = %q
    export = { bench = { rate = 1e9, sender_rate = 1e9, bytes = 1 << 30 } }
    nats = { url = %q, state = %q }
  ]]):format(name, url, path(name .. ".state")))
  return start(build .. "/mailslot-gateway", { "-c", config }, "nats: connected")
end

local function memory_kib(pid)
  for line in io.lines(("/proc/%d/smaps_rollup"):format(pid)) do
    local kib = line:match("^Pss:%s+(%d+)")
    if kib then
      return tonumber(kib)
    end
  end
end

-- Messages that come before a consumer exists go to nobody.
local function await_first(slot, writer)
  for _ = 1, WAIT_S * 10 do
    assert(writer:send("first", WAIT_S))
    if slot:read(0.1) then
      while slot:read(0.5) do end
      return
    end
  end
  error("nothing arrives")
end

local function measure_latency(slot, writer)
  local times = {}
  for i = 1, count // 10 do
    local start_s = now_s()
    assert(writer:send(("x"):rep(SIZE), WAIT_S))
    assert(slot:read(WAIT_S))
    times[i] = (now_s() - start_s) * 1e6
  end
  table.sort(times)
  print(("one-way latency, %d bytes: median %.0f us, 99%% below %.0f us"):format(SIZE,
    times[#times // 2], times[#times * 99 // 100]))
end

local function measure_throughput(slot, writer)
  local start_s = now_s()
  for i = 1, count do
    assert(writer:send(("%-" .. SIZE // 2 .. "d"):format(i) .. ("x"):rep(SIZE // 2), WAIT_S))
  end
  for i = 1, count do
    local message = assert(slot:read(WAIT_S))
    assert(tonumber(message:match("%d+")) == i, "a message is wrong")
  end
  print(("messages a second, %d bytes: %.0f"):format(SIZE, count / (now_s() - start_s)))
end

local function main()
  local port = free_port()
  start("nats-server", { "-js", "-sd", path("store"), "-a", "127.0.0.1", "-p", tostring(port) },
    "Server is ready")
  local url = "nats://127.0.0.1:" .. port
  local idle = start_gateway("beta", url)
  local slot <close> = assert(mailslot.create("bench"))
  start_gateway("alpha", url)
  local writer <close> = assert(mailslot.open([[\\beta\mailslot\bench]]))
  await_first(slot, writer)
  print(("memory of a gateway that is idle: %d KiB"):format(memory_kib(idle)))
  measure_latency(slot, writer)
  measure_throughput(slot, writer)
end

local ok, failure = xpcall(main, debug.traceback)
for i = #children, 1, -1 do
  children[i]:kill("sigkill")
end
uv.run() -- until all have ended
os.execute("rm -rf " .. folder)
assert(ok, failure)
