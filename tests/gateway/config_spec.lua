-- SPDX-License-Identifier: MIT
-- The configuration: what is wrong is told with its place, what is right is done.

local network = require("tests.gateway.network")
local scripts = require("tests.spec.scripts")
local support = require("tests.spec.support")

local program = network.build .. "/mailslot-gateway"

-- What --check says to a configuration: its status, and its errors.
local function check(text)
  local path = network.write("gateway.lua", text)
  local child = support.spawn(program, { "--check", "-c", path })
  local status = child:finish()
  return status, (child.err:gsub("^mailslot%-gateway: error: .*/gateway%.lua", "FILE"))
end

local LAN = 'lan = { interfaces = { "eth0" } }\n'

-- A configuration, and what is said of it.
local WRONG = {
  { "lan = {", "FILE:1: unexpected symbol near <eof>\n" },
  { "x = nil + 1", "FILE:1: attempt to perform arithmetic on a nil value\n" },
  { "error('no')", "FILE:1: no\n" },
  { "", "FILE: lan or nats must be configured\n" },
  { LAN .. "exprot = {}", "FILE:2: exprot is not an option\n" },
  { LAN .. "host = 7", "FILE:2: host must be a string, not a number\n" },
  { LAN .. "host = ''", "FILE:2: host must be a text that is not empty\n" },
  { LAN .. "host = 'a-name-of-16-byt'",
    "FILE:2: host is longer than the 15 bytes that the lan allows\n" },
  { "lan = 'eth0'", "FILE:1: lan must be a table, not a string\n" },
  { "lan = {}", "FILE:1: lan.interfaces or lan.subnets must say where to listen\n" },
  { "-- port = 1\nlan = {\n  interfaces = { 'e' },\n  port = 65536,\n}",
    "FILE:4: lan.port must be an integer from 1 to 65535\n" },
  { "lan = {\n interfaces = { 'e' },\n name_port = '137' }",
    "FILE:3: lan.name_port must be an integer from 1 to 65535\n" },
  { "lan = { interfaces = 'eth0' }",
    "FILE:1: lan.interfaces must be a list of strings, not a string\n" },
  { "lan = { interfaces = { a = 'eth0' } }",
    "FILE:1: lan.interfaces must be a list of strings\n" },
  { "lan = { subnets = { '10.0.0.0' } }",
    "FILE:1: lan.subnets must hold subnets like 10.77.0.0/24, not '10.0.0.0'\n" },
  { "lan = { subnets = { '10.0.0.0/33' } }",
    "FILE:1: lan.subnets must hold subnets like 10.77.0.0/24, not '10.0.0.0/33'\n" },
  { "lan = { subnets = { '10.0.0/8' } }",
    "FILE:1: lan.subnets has no IPv4 address in '10.0.0'\n" },
  { "lan = {\n interfaces = { 'e' },\n wins = 'server' }",
    "FILE:3: lan.wins has no IPv4 address in 'server'\n" },
  { LAN .. "export = {\n  'a',\n  jobs = { rtae = 1 },\n}",
    "FILE:4: export.jobs.rtae is not an option\n" },
  { LAN .. "export = { jobs = { rate = 0 } }",
    "FILE:2: export.jobs.rate must be a number from 1e-06 to 1e+09\n" },
  { LAN .. "export = { jobs = 5 }",
    'FILE:2: export.jobs must be "name" or name = { limits }\n' },
  { LAN .. [[export = { "\\\\host\\mailslot\\x" }]],
    [[FILE:2: export.\\host\mailslot\x is not the bare name of a slot]] .. "\n" },
  { LAN .. [[export = { "Gateway/Outbox" }]],
    "FILE:2: export.Gateway/Outbox cannot be exported\n" },
  { LAN .. "outbox = { mode = '0666' }",
    'FILE:2: outbox.mode must be "0600", "0620", "0602" or "0622"\n' },
  { LAN .. "routes = { ['*'] = 'nats' }",
    "FILE:2: routes.* leads to a road that is not configured\n" },
  { LAN .. "routes = { beta = 'moon' }", 'FILE:2: routes.beta must be "lan" or "nats"\n' },
  { LAN .. "filter = 'all'", "FILE:2: filter must be a function, not a string\n" },
}

describe("a configuration", function()
  before_each(network.enter)
  after_each(network.leave)

  it("that is wrong is refused with the place and the reason", function()
    for _, case in ipairs(WRONG) do
      local status, errors = check(case[1])
      assert.equal(case[2], errors)
      assert.equal(1, status)
    end
  end)

  it("that is not there is refused", function()
    local child = support.spawn(program, { "-c", "/nonexistent.lua" })
    assert.equal(1, (child:finish()))
    assert.matches("/nonexistent.lua: No such file or directory", child.err, 1, true)
  end)

  it("that names files and interfaces that are missing is told so", function()
    local here = network.write("here", "")
    local status, errors = check(([[
      lan = { interfaces = { "lo", "no-such" }, lmhosts = "/nonexistent/lmhosts" }
      nats = { url = "nats://127.0.0.1", user = "x", password_file = %q, ca = "/nonexistent/ca",
        state = "/nonexistent/state" }
      user = "no such user"
    ]]):format(here))
    assert.equal([[
mailslot-gateway: error: user: there is no user no such user
mailslot-gateway: error: nats.state: cannot write to /nonexistent/state: No such file or directory
mailslot-gateway: error: lan.interfaces: there is no interface no-such
mailslot-gateway: error: lan.lmhosts: cannot read /nonexistent/lmhosts: No such file or directory
mailslot-gateway: error: nats.ca: cannot read /nonexistent/ca: No such file or directory
]], errors)
    assert.equal(1, status)
  end)

  it("that is the example is right", function()
    local file <close> = assert(io.open("examples/gateway.lua"))
    local status, errors = check((file:read("a"):gsub("eth0", "lo")))
    assert.equal("", errors)
    assert.equal(0, status)
  end)
end)

describe("a gateway", function()
  before_each(network.enter)
  after_each(network.leave)

  local function send(machine, text)
    machine:client("-s", [[\\beta\mailslot\HelloWorld]], text):succeed()
  end

  it("reads its configuration again on SIGHUP, and keeps the old one if it is bad", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway(), beta:gateway()
    local server = beta:server()
    send(alpha, "not yet")
    scripts.await(b, "err", "not exported")
    network.write("beta.lua", LAN .. "export = { 'HelloWorld' }\n")
    b:kill("sighup")
    scripts.await(b, "err", "was read again")
    send(alpha, "one")
    server:expect("Message #1: one")
    network.write("beta.lua", LAN .. "export = { 'HelloWorld'\n")
    b:kill("sighup")
    scripts.await(b, "err", "beta.lua:%d: .*\n.*the configuration stays as it was")
    send(alpha, "two")
    server:expect("Message #2: two")
    network.await_counter(b, "2 came in, 0 went out")
    network.await_counter(b, "1 dropped: the slot is not exported")
    network.stop(server, a, b)
  end)

  it("asks its filter about every message, in both directions", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a = alpha:gateway { [[
      filter = function(m)
        assert(m.direction == "out" and m.from == "alpha" and m.to == "beta")
        assert(m.slot == "HelloWorld" and m.road == "lan" and m.pid > 0 and m.uid == 0)
        if m.data == "loop" then while true do end end
        if m.data == "road" then return "nats" end
        if m.data == "table" then return {} end
        return m.data ~= "stays", "by alpha"
      end]] }
    local b = beta:gateway { 'export = { "HelloWorld" }', [[
      filter = function(m)
        assert(m.direction == "in" and m.from == "alpha" and m.to == "beta" and not m.pid)
        assert(m.slot == "HelloWorld" and m.size == #m.data)
        if m.data == "refused" then return false, "by beta" end
        return true
      end]] }
    local server = beta:server()
    for _, word in ipairs { "loop", "road", "table", "stays", "refused", "passes" } do
      send(alpha, word)
    end
    server:expect("Message #1: passes")
    scripts.await(a, "err", [[for \\beta %(.*the filter takes too long%): the filter refused it]])
    scripts.await(b, "err", [[for the slot HelloWorld %(by beta%): the filter refused it]])
    network.await_counter(a, "4 dropped: the filter refused it")
    network.stop(server, a, b)
  end)

  it("lets in only so much at once, and leaves room for local senders", function()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a = alpha:gateway()
    local b = beta:gateway { [[export = {
      few = { rate = 1e-6, burst = 5, sender_rate = 1000 },
      small = { bytes = 1000 },
    }]] }
    local reader = beta:code [[
      local few = assert(mailslot.create("few"))
      local small = assert(mailslot.create("small"))
      print "ready"
      io.read()
      print(#few, #small, small:info().bytes)
    ]]
    reader:expect("ready")
    alpha:code([[
      for i = 1, 10 do
        assert(mailslot.send("\\\\beta\\mailslot\\few", "x"))
        assert(mailslot.send("\\\\beta\\mailslot\\small", ("x"):rep(300)))
      end
    ]]):succeed()
    scripts.await(b, "err", "for the slot few: too much comes for the slot")
    scripts.await(b, "err", "for the slot small: too much lies unread in the slot")
    network.await_counter(b, "5 dropped: too much comes")
    network.await_counter(b, "7 dropped: too much lies")
    reader:write("go\n")
    reader:expect("5\t3\t900")
    reader:succeed()
    network.stop(a, b)
  end)

  it("ends at a signal, and frees its slot and its ports", function()
    local alpha = network.machine("alpha")
    for _, signal in ipairs { "sigterm", "sigint" } do
      local gateway = alpha:gateway()
      gateway:kill(signal)
      local status, number = gateway:finish()
      assert.same({ 0, 0 }, { status, number })
      local client = alpha:client("-s", [[\\beta\mailslot\x]], "x")
      assert.equal(3, (client:finish()))
    end
  end)
end)
