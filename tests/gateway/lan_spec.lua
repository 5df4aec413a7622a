-- SPDX-License-Identifier: MIT
-- Machines with gateways on one network: what arrives where, and what does not.

local network = require("tests.gateway.network")
local scripts = require("tests.spec.scripts")
local support = require("tests.spec.support")

local HELLO = 'export = { "HelloWorld" }'

-- The next line that a server shows must be this message.
local function expect(server, number, text)
  server:expect(("Message #%d: %s"):format(number, text))
end

-- Nothing is on its way any more when a later message of the same sender has come.
local function send_marker(sender, target, server, number)
  sender:client("-s", ([[\\%s\mailslot\HelloWorld]]):format(target), "marker"):succeed()
  expect(server, number, "marker")
end

describe("two machines with gateways", function()
  before_each(network.enter)
  after_each(network.leave)

  it("carry a message from a client on one to a server on the other", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway(), beta:gateway { HELLO }
    local server = beta:server()
    alpha:client("-s", [[\\beta\mailslot\HelloWorld]], "hi", "", ("x"):rep(420)):succeed()
    expect(server, 1, "hi")
    expect(server, 2, "")
    expect(server, 3, ("x"):rep(420))
    alpha:client("-s", [[\\BETA\mailslot\helloworld]], "again"):succeed()
    expect(server, 4, "again")
    network.stop(server, a, b)
  end)

  it("tell the reader which host a message comes from, and that nobody has checked it", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway(), beta:gateway { HELLO }
    local server = beta:server("--meta")
    alpha:client("-s", [[\\beta\mailslot\HelloWorld]], "far"):succeed()
    local from = "%(pid %d+, uid %d+, gid %d+, seq "
    assert.matches("^Message #1 " .. from .. "1, host alpha unverified%): far$", server:line())
    beta:client("near"):succeed()
    assert.matches("^Message #2 " .. from .. "2%): near$", server:line())
    network.stop(server, a, b)
  end)

  it("do not find each other without a gateway, and say so", function()
    local alpha = network.machine("alpha")
    local client = alpha:client("-s", [[\\beta\mailslot\HelloWorld]], "hi")
    assert.equal(3, (client:finish()))
    assert.matches("start mailslot%-gateway", client.err)
  end)

  it("refuse at send what is too long for the wire", function()
    local alpha = network.machine("alpha")
    local a = alpha:gateway()
    local code = [[
      print(mailslot.send("\\\\beta\\mailslot\\%s", ("x"):rep(%d)))
    ]]
    for name, limit in pairs { a = 428, abcd = 428, HelloWorld = 420, ["a\\b"] = 428 } do
      name = name:gsub("\\", "\\\\")
      local fits = alpha:code(code:format(name, limit))
      fits:expect("true")
      fits:succeed()
      local over = alpha:code(code:format(name, limit + 1))
      assert.matches("^nil\t.*too large\tEMSGSIZE$", over:line())
      over:succeed()
    end
    network.stop(a)
  end)

  it("let nothing in that is not exported", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway(), beta:gateway { HELLO }
    local secret, open = beta:server("-s", "secret"), beta:server()
    for _, slot in ipairs { "secret", [[HelloWorld\secret]], [[gateway\outbox]] } do
      alpha:client("-s", [[\\beta\mailslot\]] .. slot, "not for you"):succeed()
    end
    send_marker(alpha, "beta", open, 1)
    assert.equal("", secret.out)
    scripts.await(b, "err", "dropped a message of alpha %(10%.77%.0%.1%) for the slot secret: "
      .. "the slot is not exported")
    network.stop(secret, open, a, b)
  end)

  it("go on when a slot comes and goes", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway(), beta:gateway { HELLO }
    alpha:client("-s", [[\\beta\mailslot\HelloWorld]], "nobody is there"):succeed()
    scripts.await(b, "err", "nobody owns the slot")
    for _ = 1, 2 do
      local server = beta:server()
      send_marker(alpha, "beta", server, 1)
      network.stop(server)
    end
    network.stop(a, b)
  end)

  it("say that a host does not answer, and go on with the others", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:start_gateway {
      'lan = { interfaces = { "eth0" }, wins = "10.77.0.9" }' }, beta:gateway { HELLO }
    scripts.await(a, "err", "ready:")
    local server = beta:server()
    -- There is no such server, so the question takes five seconds.
    alpha:client("-s", [[\\nowhere\mailslot\HelloWorld]], "lost", "lost too"):succeed()
    alpha:client("-s", [[\\workgroup\mailslot\HelloWorld]], "passes"):succeed()
    expect(server, 1, "passes")
    assert.is_nil(a.err:find("nowhere", 1, true), "others had to wait")
    scripts.await(a, "err", [[dropped a message for \\nowhere: nobody answers]])
    network.stop(server, a, b)
  end)

  it("find hosts in the file lmhosts", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local lmhosts = network.write("lmhosts", "10.77.0.2  ELSEWHERE  # really beta\n")
    local a = alpha:start_gateway {
      ('lan = { interfaces = { "eth0" }, lmhosts = %q }'):format(lmhosts) }
    scripts.await(a, "err", "ready:")
    local b = beta:start_gateway { HELLO, 'host = "elsewhere"',
      'lan = { subnets = { "10.77.0.0/24" } }' }
    scripts.await(b, "err", "ready:")
    local server = beta:server()
    send_marker(alpha, "elsewhere", server, 1)
    network.stop(server, a, b)
  end)

  it("have other ports if they are told", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local ports = 'lan = { interfaces = { "eth0" }, port = 1138, name_port = 1137 }'
    local a, b = alpha:start_gateway { ports }, beta:start_gateway { ports, HELLO }
    scripts.await(a, "err", "ready:")
    scripts.await(b, "err", "ready:")
    local server = beta:server()
    send_marker(alpha, "beta", server, 1)
    send_marker(alpha, "workgroup", server, 2)
    network.stop(server, a, b)
  end)

  it("hear nobody whose network is not configured, and no garbage", function()
    local alpha, beta, gamma = network.machine("alpha"), network.machine("beta"),
      network.machine("gamma")
    local a, g = alpha:gateway(), gamma:gateway()
    local b = beta:start_gateway { HELLO,
      'lan = { interfaces = { "eth0" }, subnets = { "10.77.0.3/32", "192.168.0.0/16" } }' }
    scripts.await(b, "err", "ready:")
    local server = beta:server()
    alpha:client("-s", [[\\workgroup\mailslot\HelloWorld]], "not for you"):succeed()
    scripts.await(b, "err", "dropped a packet of 10.77.0.1: it comes from a network that is not")
    for _, garbage in ipairs { "", "x", ("\\x10"):rep(700), "\\x10\\x02" .. ("A"):rep(80) } do
      gamma:spawn("/bin/bash", "-c", ("printf '%s' > /dev/udp/10.77.0.2/138"):format(garbage))
        :succeed()
    end
    send_marker(gamma, "workgroup", server, 1)
    network.stop(server, a, b, g)
  end)

  it("treat a message for the own machine as one from outside", function()
    local alpha = network.machine("alpha")
    local a = alpha:gateway { HELLO, 'host = "self"' }
    local server, secret = alpha:server(), alpha:server("-s", "secret")
    alpha:client("-s", [[\\self\mailslot\secret]], "no"):succeed()
    send_marker(alpha, "SELF", server, 1)
    assert.equal("", secret.out)
    network.stop(server, secret, a)
  end)

  it("make senders get EAGAIN while the network takes nothing, and lose nothing", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local function limit(verb, rate)
      local tc = alpha:spawn("tc", "qdisc", verb, "dev", "eth0", "root", "tbf", "rate", rate,
        "burst", "10kb", "limit", "100mb")
      return tc:finish() == 0
    end
    if not limit("add", "8kbit") then
      pending("this kernel cannot limit the rate of an interface")
      return
    end
    local a = alpha:gateway { "outbox = { max_bytes = 65536 }" }
    local b = beta:gateway { "export = { jobs = { rate = 1e9, sender_rate = 1e9 } }" }
    local reader = beta:code [[
      local slot = assert(mailslot.create("jobs"))
      print "ready"
      local number = 0
      for message in slot:messages(math.huge) do
        number = number + 1
        assert(math.tointeger(message) == number, "one is missing")
        if number == 1 then print "found" end
        if message:find("+", 1, true) then break end
      end
      print(number)
    ]]
    reader:expect("ready")
    local feed = alpha:code [[
      local writer = assert(mailslot.open("\\\\beta\\mailslot\\jobs"))
      local number, ok, code, _ = 1
      assert(writer:send("1"))
      io.read()
      repeat
        number = number + 1
        ok, _, code = writer:send(number .. (" "):rep(400), 0.2)
      until not ok
      assert(code == "ETIMEDOUT")
      print(select(3, writer:send("x", 0)))
      io.read()
      assert(writer:send("+" .. number, math.huge))
      print(number)
    ]]
    reader:expect("found") -- the host: what waits for that has an end
    feed:write("\n")
    feed:expect("EAGAIN")
    assert.is_true(limit("change", "4mbit"))
    feed:write("\n")
    reader:expect(feed:line())
    feed:succeed()
    reader:succeed()
    network.stop(a, b)
  end)

  it("say which port is taken", function()
    local alpha = network.machine("alpha")
    local a = alpha:gateway()
    local second = alpha:start_gateway { 'lan = { interfaces = { "eth0" } }' }
    assert.equal(1, (second:finish()))
    assert.matches("UDP port 138 of eth0 is taken, by nmbd perhaps", second.err)
    local other = alpha:start_gateway {
      'lan = { interfaces = { "eth0" }, port = 1138, name_port = 1137 }' }
    assert.equal(1, (other:finish()))
    assert.matches("another gateway serves this machine already, as the user with id %d", other.err)
    network.stop(a)
  end)
end)

describe("a domain of three machines", function()
  before_each(network.enter)
  after_each(network.leave)

  local function three()
    local list = {}
    for i, name in ipairs { "alpha", "beta", "gamma" } do
      local machine = network.machine(name)
      list[i] = { machine = machine, gateway = machine:gateway { HELLO },
        server = machine:server() }
    end
    return list
  end

  local function stop(list)
    for _, one in ipairs(list) do
      network.stop(one.server, one.gateway)
    end
  end

  for _, target in ipairs { "WorkGroup", "*" } do
    it("gets one copy each of what is sent to " .. target, function()
      local list = three()
      local name = ([[\\%s\mailslot\HelloWorld]]):format(target)
      list[1].machine:client("-s", name, "one", "two"):succeed()
      for _, one in ipairs(list) do
        expect(one.server, 1, "one")
        expect(one.server, 2, "two")
      end
      send_marker(list[1].machine, "gamma", list[3].server, 3)
      send_marker(list[3].machine, "beta", list[2].server, 3)
      send_marker(list[2].machine, "alpha", list[1].server, 3)
      stop(list)
    end)
  end

  it("leaves another domain alone", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway(), beta:gateway { HELLO, 'domain = "other"' }
    local server = beta:server()
    alpha:client("-s", [[\\workgroup\mailslot\HelloWorld]], "not for you"):succeed()
    alpha:client("-s", [[\\other\mailslot\HelloWorld]], "for you"):succeed()
    expect(server, 1, "for you")
    network.stop(server, a, b)
  end)

  it("suffers no starvation by a machine that floods", function()
    local alpha, beta, gamma = network.machine("alpha"), network.machine("beta"),
      network.machine("gamma")
    local a, g = alpha:gateway(), gamma:gateway()
    local b = beta:gateway { "export = { jobs = { rate = 200, sender_rate = 20 } }" }
    local reader = beta:code [[
      local slot = assert(mailslot.create("jobs"))
      print "ready"
      local flooded = 0
      while true do
        if slot:read(math.huge) == "flood" then
          flooded = flooded + 1
        else
          print(flooded)
        end
      end
    ]]
    reader:expect("ready")
    local start = support.now()
    local flood = alpha:code [[
      local writer = assert(mailslot.open("\\\\beta\\mailslot\\jobs"))
      while true do writer:send("flood", 1) end
    ]]
    scripts.await(b, "err", "the sender sends too fast")
    local calm = gamma:code [[
      for _ in io.lines() do assert(mailslot.send("\\\\beta\\mailslot\\jobs", "calm")) end
    ]]
    -- Some get lost on a network that is flooded: the others must come through.
    local sent, came = 0, 0
    while came < 10 and sent < 40 do
      calm:write("go\n")
      sent = sent + 1
      local has_come = pcall(support.await, function()
        return reader.out:find("\n")
      end, "it", 0.5)
      came = came + (has_come and 1 or 0)
      reader.flooded = has_come and tonumber(reader:line()) or reader.flooded
    end
    assert.equal(10, came, ("of %d messages"):format(sent))
    assert.is_true(reader.flooded <= 20 + 20 * (support.now() - start),
      reader.flooded .. " came through")
    calm:succeed()
    reader:kill("sigkill")
    reader:finish()
    flood:kill("sigkill")
    flood:finish()
    network.stop(b, g, a)
  end)

  it("is not held up by a stopped reader", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a = alpha:gateway()
    local b = beta:gateway { 'export = { "HelloWorld", "stopped" }' }
    local server, stopped = beta:server(), beta:server("-s", "stopped")
    stopped:kill("sigstop")
    alpha:client("-s", [[\\beta\mailslot\stopped]], "kept"):succeed()
    send_marker(alpha, "beta", server, 1)
    stopped:kill("sigcont")
    expect(stopped, 1, "kept")
    network.stop(server, stopped, a, b)
  end)
end)
