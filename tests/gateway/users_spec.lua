-- SPDX-License-Identifier: MIT
-- A gateway that runs as a user of its own, between the programs of others: what it may do,
-- and that mail of other users goes through it. Only root can become them.

local nats = require("tests.gateway.nats")
local network = require("tests.gateway.network")
local scripts = require("tests.spec.scripts")
local support = require("tests.spec.support")

local GATEWAY, READER, SENDER = 65534, 1, 5 -- nobody, daemon, games
local USER = 'user = "nobody"'
local FREE = "{ rate = 1e9, sender_rate = 1e9 }"
local JOBS = "export = { jobs = " .. FREE .. " }"

local function enter()
  network.enter()
  network.publish()
end

local function status_of(child)
  local fields = {}
  for line in io.lines(("/proc/%d/status"):format(child.pid)) do
    local name, value = line:match("^([%w_]+):%s*(.-)%s*$")
    fields[name] = value
  end
  return fields
end

-- A slot of another user that all may send to; prints what comes. `limits`: more options.
local function reader(machine, name, limits)
  local child = machine:code_of(READER, ([[
    local slot = assert(mailslot.create(%q, { mode = "0622", %s }))
    print("there")
    while true do
      local message = slot:read { timeout = math.huge, meta = true }
      print(message.data:match("^%%S*"), message.host, message.host_verified, message.uid)
    end
  ]]):format(name, limits or ""))
  child:expect("there")
  return child
end

-- Sends the numbers `from` to `to`, and waits for room as long as it takes.
local function sender(machine, name, from, to, size)
  return machine:code_of(SENDER, ([[
    local writer = assert(mailslot.open("\\\\beta\\mailslot\\%s"))
    for number = %d, %d do
      assert(writer:send(number .. (" "):rep(%d), math.huge))
    end
  ]]):format(name, from, to, size or 0))
end

local function send(...)
  sender(...):succeed()
end

local function in_order(child, from, to)
  for number = from, to do
    child:expect(("%d\talpha\tfalse\t%d"):format(number, GATEWAY))
  end
end

local function kill(...)
  for _, child in ipairs { ... } do
    nats.kill(child)
  end
end

local function need_users()
  if not network.has_users() then
    pending("only root has other users")
    return false
  end
  return true
end

describe("a gateway that root starts with a user of its own", function()
  before_each(enter)
  after_each(network.leave)

  it("has no right of root any more, and reads its configuration again", function()
    if not need_users() then return end
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway { USER }, beta:gateway { USER }
    for _, gateway in ipairs { a, b } do
      local status = status_of(gateway)
      local ids = ("%d\t"):rep(4):sub(1, -2):format(GATEWAY, GATEWAY, GATEWAY, GATEWAY)
      assert.equal(ids, status.Uid)
      assert.equal(ids, status.Gid)
      assert.equal(tostring(GATEWAY), status.Groups)
      for _, set in ipairs { "CapInh", "CapPrm", "CapEff", "CapAmb" } do
        assert.matches("^0+$", status[set])
      end
    end
    local jobs = reader(beta, "jobs")
    send(alpha, "jobs", 1, 1)
    scripts.await(b, "err", "not exported")
    network.write("beta.lua", 'lan = { interfaces = { "eth0" } }\n' .. JOBS .. "\n")
    b:kill("sighup")
    scripts.await(b, "err", "was read again")
    send(alpha, "jobs", 2, 2)
    in_order(jobs, 2, 2)
    kill(jobs)
    network.stop(a, b)
  end)

  it("does not start as a user that is not there", function()
    if not need_users() then return end
    local alpha = network.machine("alpha")
    local a = alpha:start_gateway { 'lan = { interfaces = { "eth0" } }', 'user = "nowhere"' }
    assert.equal(1, (a:finish()))
    assert.matches("cannot become the user 'nowhere'", a.err)
  end)
end)

describe("the slot of another user", function()
  before_each(enter)
  after_each(network.leave)

  it("gets mail by lan, from other users as well", function()
    if not need_users() then return end
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway { USER }, beta:gateway { USER, JOBS }
    local jobs = reader(beta, "jobs")
    send(alpha, "jobs", 1, 20)
    in_order(jobs, 1, 20)
    kill(jobs)
    jobs = reader(beta, "jobs") -- the next owner, after one that was killed
    send(alpha, "jobs", 21, 21)
    in_order(jobs, 21, 21)
    kill(jobs)
    network.stop(a, b)
  end)

  it("lets nobody in whom its mode does not", function()
    if not need_users() then return end
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = alpha:gateway { USER, 'outbox = { mode = "0600" }' }, beta:gateway { USER, JOBS }
    local refused = alpha:code_of(SENDER, [[
      print(select(3, mailslot.open("\\\\beta\\mailslot\\jobs")))
    ]])
    refused:expect("EACCES")
    refused:succeed()
    local private = beta:code_of(READER, [[
      local slot = assert(mailslot.create("jobs"))
      print("there")
      io.read()
      print(#slot)
    ]])
    private:expect("there")
    alpha:code_of(GATEWAY, [[
      assert(mailslot.send("\\\\beta\\mailslot\\jobs", "x"))
    ]]):succeed()
    scripts.await(b, "err", "for the slot jobs: the slot does not take it")
    private:write("\n")
    private:expect("0")
    private:succeed()
    network.stop(a, b)
  end)

  describe("with a NATS server", function()
    local server

    local function road(machine, export, count)
      machine.state = machine.state or network.folder(machine.name .. ".state")
      network.run("chown", tostring(GATEWAY), machine.state)
      return nats.gateway(machine, { USER, export }, "", count)
    end

    before_each(function()
      nats.enter()
      server = nats.server()
    end)
    after_each(function()
      nats.stop(server)
    end)

    it("gets mail by nats, holds up no other, and loses nothing", function()
      if not need_users() then return end
      local alpha, beta = network.machine("alpha"), network.machine("beta")
      local a = road(alpha, "", 0)
      local b = road(beta, ("export = { jobs = %s, other = %s }"):format(FREE, FREE), 2)
      local jobs, other = reader(beta, "jobs", "user_max_bytes = 8192"), reader(beta, "other")
      send(alpha, "jobs", 1, 1)
      in_order(jobs, 1, 1)
      jobs:kill("sigstop")
      send(alpha, "jobs", 2, 300, 200)
      send(alpha, "other", 1, 20)
      in_order(other, 1, 20)
      assert.equal("", jobs.out)
      jobs:kill("sigcont")
      in_order(jobs, 2, 300)
      kill(jobs, other)
      network.stop(a, b)
    end)

    it("gets each message once, however often the gateway is killed", function()
      if not need_users() then return end
      local KILLS = os.getenv("MAILSLOT_TEST_LONG") and 40 or 5
      local alpha, beta = network.machine("alpha"), network.machine("beta")
      local a, b = road(alpha, "", 0), road(beta, JOBS, 1)
      local jobs = reader(beta, "jobs")
      local feed = sender(alpha, "jobs", 1, KILLS * 300)
      for i = 1, KILLS do
        support.await(function()
          return jobs.out:find(("\n%d\t"):format(i * 200 + math.random(80)), 1, true)
        end, "messages", 60)
        kill(b)
        b = road(beta, JOBS, 1)
      end
      feed:succeed(60)
      in_order(jobs, 1, KILLS * 300)
      kill(jobs)
      network.stop(a, b)
    end)
  end)
end)
