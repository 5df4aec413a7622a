-- SPDX-License-Identifier: MIT
-- What a road costs on one machine: two gateways, with a NATS server or a network between
-- them, one message after the other (latency) and many (messages a second), and the memory of
-- a gateway that has nothing to do.
-- Usage: unshare --user --map-root-user --net env LUA_CPATH_5_4='build/release/lua/?.so;;' \
--          lua5.4 bench/gateway.lua lan|nats [BUILD] [COUNT]
-- It makes its network in the namespace that unshare gives it. Needs iproute2, nats-server.
-- Everything else is in a new folder below /tmp, which is removed.

local mailslot = require "mailslot"
local uv = require "luv"

local road = arg[1]
local build = assert(uv.fs_realpath(arg[2] or "build/release"))
local count = math.tointeger(arg[3] or 20000)
local SIZE <const> = 100
local UNDERWAY <const> = 64 -- at most, when many are sent: a network loses what is too much
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

local function ip(words)
  assert(os.execute("ip " .. words))
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

-- Both ways to configure a gateway, and what must be there before the first.
local roads = {
  lan = {
    text = "ready:",
    prepare = function()
      ip "link set lo up"
      ip "link add alpha type veth peer name beta"
      for name, address in pairs { alpha = "10.77.0.1", beta = "10.77.1.1" } do
        ip(("addr add %s/24 broadcast + dev %s"):format(address, name))
        ip("link set " .. name .. " up")
      end
      write("lmhosts", "10.77.0.1 ALPHA\n10.77.1.1 BETA\n")
    end,
    line = function(name)
      return ("lan = { interfaces = { %q }, subnets = { '10.77.0.0/16' }, lmhosts = %q }"):format(
        name, path("lmhosts"))
    end,
  },
  nats = {
    text = "nats: connected",
    prepare = function()
      ip "link set lo up"
      start("nats-server", { "-js", "-sd", path("store"), "-a", "127.0.0.1" }, "Server is ready")
    end,
    line = function(name)
      assert(uv.fs_mkdir(path(name .. ".state"), 448))
      return ("nats = { url = 'nats://127.0.0.1', state = %q }"):format(path(name .. ".state"))
    end,
  },
}

local function start_gateway(name)
  assert(uv.fs_mkdir(path(name .. ".slots"), 448))
  assert(uv.os_setenv("MAILSLOT_DIR", path(name .. ".slots")))
  local config = write(name .. ".lua", ([[
    host = %q
    export = { bench = { rate = 1e9, sender_rate = 1e9, bytes = 1 << 30 } }
    %s
  ]]):format(name, roads[road].line(name)))
  return start(build .. "/mailslot-gateway", { "-c", config }, roads[road].text)
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
  local start_s, sent = now_s(), 0
  for i = 1, count do
    while sent < count and sent < i - 1 + UNDERWAY do
      sent = sent + 1
      assert(writer:send(("%-" .. SIZE // 2 .. "d"):format(sent) .. ("x"):rep(SIZE // 2), WAIT_S))
    end
    local message = assert(slot:read(WAIT_S))
    assert(tonumber(message:match("%d+")) == i, "a message is wrong")
  end
  print(("messages a second, %d bytes: %.0f"):format(SIZE, count / (now_s() - start_s)))
end

local function main()
  assert(roads[road], "which road? lan or nats")
  roads[road].prepare()
  local idle = start_gateway("beta")
  local slot <close> = assert(mailslot.create("bench"))
  start_gateway("alpha")
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
