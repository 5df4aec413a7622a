-- SPDX-License-Identifier: MIT
-- Machines with gateways on one NATS server: what arrives where, once, whatever is killed.

local nats = require("tests.gateway.nats")
local network = require("tests.gateway.network")
local scripts = require("tests.spec.scripts")
local support = require("tests.spec.support")

local FREE = "{ rate = 1e9, sender_rate = 1e9 }"
local JOBS = "export = { jobs = " .. FREE .. " }"

local function enter()
  network.enter()
  nats.enter()
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

-- The next line that a server shows must be this message.
local function expect(server, number, text)
  server:expect(("Message #%d: %s"):format(number, text))
end

local function send(machine, target, slot, ...)
  machine:client("-s", ([[\\%s\mailslot\%s]]):format(target, slot), ...):succeed()
end

-- Prints what comes into the slot jobs, one line each, without what fills it up.
local function reader(machine)
  local child = machine:code([[
    local slot = mailslot.create("jobs")
    print("there")
    for message in slot:messages(math.huge) do
      print((message:match("^%S*")))
    end
  ]])
  child:expect("there")
  return child
end

-- Sends the numbers of each line `from to` that it gets to \\beta\mailslot\jobs, filled up to
-- `size` bytes. Prints each number that a gateway that died has refused, and "done".
local function sender(machine, size)
  return machine:code(([[
    local writer
    local function send(number)
      local text = number .. (" "):rep(%d - #tostring(number))
      local last
      repeat
        local ok, code
        if writer then
          ok, _, code = writer:send(text, 20)
        else
          writer, _, code = mailslot.open("\\\\beta\\mailslot\\jobs")
        end
        if code and code ~= last then
          print(code, number)
          last = code
        end
        if code == "EPIPE" then
          writer:close()
          writer = nil
        end
      until ok
    end
    for line in io.lines() do
      local from, to = line:match("(%%d+) (%%d+)")
      for number = math.tointeger(from), math.tointeger(to) do
        send(number)
      end
      print("done")
    end
  ]]):format(size))
end

-- Sends the numbers from 1 on without waiting for room. Prints "full" when there is none, goes
-- on, now until each is accepted, at a line, and prints "done".
local function impatient_sender(machine, last)
  return machine:code(([[
    local writer = mailslot.open("\\\\beta\\mailslot\\jobs")
    local number, is_full = 1, false
    while number <= %d do
      local ok, _, code = writer:send(number .. (" "):rep(4000), 0)
      if code == "EAGAIN" and not is_full then
        is_full = true
        print("full")
        io.read()
      end
      number = number + (ok and 1 or 0)
    end
    print("done")
  ]]):format(last))
end

-- Waits until so many lines have come to a reader, and says which is the last.
local function await_lines(child, number)
  support.await(function()
    return count(child.out, "\n") >= number or child.is_over
  end, number .. " messages", 60)
  assert(not child.is_over, child.err)
end

-- The numbers of a reader's lines, in order.
local function numbers(...)
  local list = {}
  for _, child in ipairs { ... } do
    for line in child.out:gmatch("(%d+)\n") do
      list[#list + 1] = tonumber(line)
    end
  end
  return list
end

-- All from 1 to `last` are there once and in order, but for those that `gaps` tells: how many
-- may be missing behind a number, at most.
local function check(list, last, gaps)
  local expected = 1
  for i, number in ipairs(list) do
    local gap = gaps and gaps[expected - 1] or 0
    assert(number >= expected, ("%d came again, as message %d"):format(number, i))
    assert(number - expected <= gap,
      ("%d to %d are missing"):format(expected, number - 1))
    expected = number + 1
  end
  assert.equal(last, expected - 1)
end

describe("three machines with a NATS server", function()
  before_each(enter)
  after_each(network.leave)

  local function three(server_lines)
    local list = { server = nats.server(server_lines) }
    for i, name in ipairs { "alpha", "beta", "gamma" } do
      local machine = network.machine(name)
      list[i] = { machine = machine, gateway = nats.gateway(machine, { JOBS }, "", 1),
        server = machine:server("-s", "jobs"), secret = machine:server("-s", "secret") }
    end
    return list
  end

  local function stop(list)
    for _, one in ipairs(list) do
      assert.equal("", one.secret.out)
      network.stop(one.server, one.secret, one.gateway)
    end
    nats.stop(list.server)
  end

  it("carry a message to one of them", function()
    local list = three()
    local alpha = list[1].machine
    send(alpha, "BETA", "Jobs", "hi", "", ("x"):rep(60000))
    expect(list[2].server, 1, "hi")
    expect(list[2].server, 2, "")
    expect(list[2].server, 3, ("x"):rep(60000))
    for _, one in ipairs { list[1], list[3] } do
      assert.equal("", one.server.out)
    end
    stop(list)
  end)

  for _, target in ipairs { "WorkGroup", "*" } do
    it("carry one copy to each of them for " .. target, function()
      local list = three()
      send(list[1].machine, target, "jobs", "to all")
      for _, one in ipairs(list) do -- what two machines send has no order
        expect(one.server, 1, "to all")
      end
      send(list[2].machine, target, "secret", "not exported")
      send(list[2].machine, target, "jobs", "to all again")
      for _, one in ipairs(list) do
        expect(one.server, 2, "to all again")
      end
      stop(list)
    end)
  end

  it("refuse at send what is too long for the road", function()
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = nats.gateway(alpha), nats.gateway(beta, { JOBS }, "", 1)
    local jobs = beta:server("-s", "jobs")
    local code = [[
      print(mailslot.send("\\\\beta\\mailslot\\jobs", ("x"):rep(%d)))
    ]]
    local fits = alpha:code(code:format(65536 - 96 - 4))
    fits:expect("true")
    fits:succeed()
    local over = alpha:code(code:format(65536 - 96 - 3))
    assert.matches("^nil\t.*too large\tEMSGSIZE$", over:line())
    over:succeed()
    expect(jobs, 1, ("x"):rep(65536 - 96 - 4))
    network.stop(jobs, a, b)
    nats.stop(server)
  end)

  it("forget a slot that is exported no more, and learn of a new one", function()
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = nats.gateway(alpha), nats.gateway(beta, { JOBS }, "", 1)
    network.write("beta.lua", nats.road(beta) .. '\nexport = { "other" }\n')
    b:kill("sighup")
    support.await(function()
      return table.concat(nats.journals(beta), " ") ==
        "beta-G-workgroup-S-other.journal beta-U-other.journal"
    end, "the new consumers")
    local client = nats.client()
    local names = client:request("$JS.API.CONSUMER.NAMES.MAILSLOT", "")
    assert.matches("beta%-U%-other", names)
    assert.is_nil(names:find("jobs", 1, true))
    client:close()
    local other = beta:server("-s", "other")
    send(alpha, "beta", "jobs", "to nobody")
    send(alpha, "beta", "other", "hi")
    expect(other, 1, "hi")
    network.stop(other, a, b)
    nats.stop(server)
  end)
end)

describe("a slot that nobody reads", function()
  before_each(enter)
  after_each(network.leave)

  it("holds up no other, and gets the rest when it is read", function()
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a = nats.gateway(alpha)
    local b = nats.gateway(beta, {
      "export = { jobs = { bytes = 2000, rate = 1e9, sender_rate = 1e9 }, other = " .. FREE .. " }",
    }, "", 2)
    local jobs = reader(beta)
    jobs:kill("sigstop")
    local feed = sender(alpha, 100)
    feed:write("1 300\n")
    feed:expect("done")
    local other = beta:server("-s", "other")
    send(alpha, "beta", "other", "passes")
    expect(other, 1, "passes")
    jobs:kill("sigcont")
    await_lines(jobs, 300)
    check(numbers(jobs), 300)
    feed:succeed()
    nats.kill(jobs)
    network.stop(other, a, b)
    nats.stop(server)
  end)

  it("is waited for as long as nats.linger says when nobody owns it", function()
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a = nats.gateway(alpha)
    local b = nats.gateway(beta, { JOBS }, "linger = 0.2", 1)
    send(alpha, "beta", "jobs", "too late")
    scripts.await(b, "err", "dropped a message of alpha .*: nobody owns the slot")
    network.write("beta.lua", nats.road(beta, "linger = 30") .. "\n" .. JOBS .. "\n")
    b:kill("sighup")
    scripts.await(b, "err", "was read again")
    send(alpha, "beta", "jobs", "waits")
    local jobs = beta:server("-s", "jobs")
    expect(jobs, 1, "waits")
    network.stop(jobs, a, b)
    nats.stop(server)
  end)
end)

describe("a stream that is full", function()
  before_each(enter)
  after_each(network.leave)

  it("makes senders get EAGAIN, and loses nothing", function()
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local b = nats.gateway(beta, {
      "export = { jobs = { bytes = 8000, rate = 1e9, sender_rate = 1e9 } }",
    }, "stream_bytes = 65536", 1)
    local a = nats.gateway(alpha, { "outbox = { max_bytes = 262144 }" }, "queue_bytes = 8192")
    local jobs = reader(beta)
    jobs:kill("sigstop")
    local feed = impatient_sender(alpha, 300)
    feed:expect("full")
    scripts.await(a, "err", "the stream is full")
    jobs:kill("sigcont")
    feed:write("\n")
    feed:expect("done")
    await_lines(jobs, 300)
    check(numbers(jobs), 300)
    assert.equal(1, count(a.err, "the stream is full"))
    feed:succeed()
    nats.kill(jobs)
    network.stop(a, b)
    nats.stop(server)
  end)
end)

describe("what was accepted", function()
  before_each(enter)
  after_each(network.leave)

  it("waits for a server that is away", function()
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = nats.gateway(alpha), nats.gateway(beta, { JOBS }, "", 1)
    local jobs = reader(beta)
    nats.stop(server)
    scripts.await(a, "err", "nats: not connected: No server available for connection\n")
    local feed = sender(alpha, 100)
    feed:write("1 500\n")
    feed:expect("done")
    server = nats.server()
    await_lines(jobs, 500)
    check(numbers(jobs), 500)
    feed:succeed()
    nats.kill(jobs)
    network.stop(a, b)
    nats.stop(server)
  end)

  it("makes senders get EAGAIN while a server is away, and goes on when it is back", function()
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a = nats.gateway(alpha, { "outbox = { max_bytes = 262144 }" }, "queue_bytes = 8192")
    local b = nats.gateway(beta, { JOBS }, "", 1)
    local jobs = reader(beta)
    nats.kill(server)
    scripts.await(a, "err", "not connected")
    local feed = impatient_sender(alpha, 300)
    feed:expect("full")
    server = nats.server()
    feed:write("\n")
    feed:expect("done")
    await_lines(jobs, 300)
    check(numbers(jobs), 300)
    feed:succeed()
    nats.kill(jobs)
    network.stop(a, b)
    nats.stop(server)
  end)

  -- What a reader had not read when it was killed dies with its slot: here it is as much as
  -- the export lets in. What a killed gateway had in its outbox, its sender hears of.
  it("arrives once, whatever is killed while 10000 messages flow", function()
    local SIZE, UNREAD = 100, 20
    local export = "export = { jobs = { bytes = 2000, rate = 1e9, sender_rate = 1e9 } }"
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local function start_alpha()
      return nats.gateway(alpha, { "outbox = { max_bytes = 262144 }" }, "queue_bytes = 65536")
    end
    local function start_beta()
      return nats.gateway(beta, { export }, "linger = 30", 1)
    end
    local a, b = start_alpha(), start_beta()
    local first = reader(beta)
    local feed = sender(alpha, SIZE)
    feed:write("1 6000\n")
    for i = 1, 2 do
      await_lines(first, i * 1000)
      nats.kill(server)
      server = nats.server()
      await_lines(first, i * 1000 + 500)
      nats.kill(b)
      b = start_beta()
    end

    await_lines(first, 3000)
    first:kill("sigstop")
    local look = beta:code([[
      repeat
        local info = assert(mailslot.info("jobs"))
      until info.count == 20 -- of 100 bytes
      print("full")
    ]])
    look:expect("full")
    look:succeed()
    nats.kill(first)
    local last_read = #numbers(first)
    local second = reader(beta)

    feed:expect("done")
    support.await(function()
      return second.out:find("\n6000\n", 1, true)
    end, "the messages of the first part", 60)
    feed:write("6001 10000\n")
    await_lines(second, count(second.out, "\n") + 100)
    nats.kill(a)
    local line = feed:line()
    local refused = tonumber(line:match("^EPIPE\t(%d+)$")) or error(line)
    feed:expect("EHOSTUNREACH\t" .. refused)
    a = start_alpha()
    feed:expect("done", 60)
    support.await(function()
      return second.out:find("\n10000\n", 1, true)
    end, "the last message", 60)

    local list = numbers(first, second)
    local before_refused = 0
    for _, number in ipairs(list) do
      if number < refused and number > before_refused then
        before_refused = number
      end
    end
    check(list, 10000, {
      [last_read] = UNREAD,
      [before_refused] = refused - 1 - before_refused,
    })
    assert.equal(last_read + UNREAD + 1, list[last_read + 1])
    feed:succeed()
    nats.kill(second)
    network.stop(a, b)
    nats.stop(server)
  end)

  it("arrives once, however often the gateway of its slot is killed or stopped", function()
    local ENDS = os.getenv("MAILSLOT_TEST_LONG") and 40 or 6
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = nats.gateway(alpha), nats.gateway(beta, { JOBS }, "", 1)
    local jobs = reader(beta)
    local feed = sender(alpha, 30)
    feed:write(("1 %d\n"):format(ENDS * 300))
    for i = 1, ENDS do
      await_lines(jobs, i * 200 + math.random(80))
      if i % 2 == 0 then
        nats.kill(b)
      else
        network.stop(b)
      end
      b = nats.gateway(beta, { JOBS }, "", 1)
    end
    feed:expect("done")
    await_lines(jobs, ENDS * 300)
    check(numbers(jobs), ENDS * 300)
    feed:succeed()
    nats.kill(jobs)
    network.stop(a, b)
    nats.stop(server)
  end)

  -- Whether a machine's gateway has noted that it is about to put a message into the slot jobs,
  -- and not what has become of it.
  local function is_putting(machine)
    local file <close> = assert(io.open(machine.state .. "/beta-U-jobs.journal", "rb"))
    return string.unpack("=I8", file:read("a"), 33) ~= 0
  end

  -- Sends a message to beta, whose gateway is killed when it is about to put it into the slot.
  -- The turns of others that it waits for are made up: who holds the slot's lock, which is a
  -- word of its file, is somebody else all the time.
  local function kill_before_it_puts(alpha, beta, gateway, text)
    local others = beta:code([[
      local file = assert(io.open("/dev/shm/mailslot.jobs", "r+b"))
      local pause = mailslot.create("pause")
      local turn = 0
      while true do
        turn = turn + 1
        file:seek("set", 384)
        file:write(string.pack("=I4", turn))
        file:flush()
        print("held")
        pause:wait(0.1)
      end
    ]])
    others:expect("held")
    send(alpha, "beta", "jobs", text)
    support.await(function()
      return is_putting(beta)
    end, "a note in the journal")
    nats.kill(gateway)
    assert.is_true(is_putting(beta))
    nats.kill(others)
    beta:code([[
      local file <close> = assert(io.open("/dev/shm/mailslot.jobs", "r+b"))
      file:seek("set", 384)
      file:write(string.pack("=I4", 0))
    ]]):succeed()
  end

  -- `go_on` gets the machine, its reader and alpha, starts the gateway again and returns reader
  -- and gateway.
  local function check_kill_before_it_puts(go_on)
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = nats.gateway(alpha), nats.gateway(beta, { JOBS }, "", 1)
    local jobs = reader(beta)
    send(alpha, "beta", "jobs", "first")
    jobs:expect("first")
    kill_before_it_puts(alpha, beta, b, "second")
    jobs, b = go_on(beta, jobs, alpha)
    jobs:expect("second")
    send(alpha, "beta", "jobs", "third")
    jobs:expect("third")
    nats.kill(jobs)
    network.stop(a, b)
    nats.stop(server)
  end

  it("arrives once although its gateway was killed and others have sent to its slot", function()
    check_kill_before_it_puts(function(beta, jobs)
      beta:client("-s", "jobs", "local"):succeed()
      jobs:expect("local")
      return jobs, nats.gateway(beta, { JOBS }, "", 1)
    end)
  end)

  it("arrives once although its gateway was killed and its slot has another owner", function()
    check_kill_before_it_puts(function(beta, jobs)
      nats.kill(jobs)
      jobs = reader(beta)
      return jobs, nats.gateway(beta, { JOBS }, "", 1)
    end)
  end)

  -- What the gateway brings in the meantime comes by the consumer of the domain.
  it("arrives once although its gateway was killed and killed again", function()
    check_kill_before_it_puts(function(beta, jobs, alpha)
      local b = nats.gateway(beta, { JOBS }, "", 1)
      send(alpha, "workgroup", "jobs", "everybody")
      jobs:expect("everybody")
      assert.is_true(is_putting(beta))
      nats.kill(b)
      return jobs, nats.gateway(beta, { JOBS }, "", 1)
    end)
  end)

  it("waits for an owner of its slot also when its gateway was killed", function()
    check_kill_before_it_puts(function(beta, jobs)
      nats.kill(jobs)
      local b = nats.gateway(beta, { JOBS }, "linger = 30", 1)
      support.await(function()
        return not is_putting(beta)
      end, "the message to be tried again")
      return reader(beta), b
    end)
  end)

  -- What is sent meanwhile is in the stream before the server hears of the consumer again.
  it("does not lie long at a server that was killed just behind a delivery", function()
    local server = nats.server()
    local alpha, beta = network.machine("alpha"), network.machine("beta")
    local a, b = nats.gateway(alpha), nats.gateway(beta, { JOBS }, "", 1)
    local jobs = reader(beta)
    for i = 1, 3 do
      send(alpha, "beta", "jobs", "before" .. i)
      jobs:expect("before" .. i)
      nats.kill(server)
      send(alpha, "beta", "jobs", "meanwhile" .. i)
      server = nats.server()
      jobs:expect("meanwhile" .. i, 15)
    end
    nats.kill(jobs)
    network.stop(a, b)
    nats.stop(server)
  end)

  it("is not delivered again when the server has forgotten that it had it", function()
    local server = nats.server()
    local client = nats.client()
    assert.matches('"config"', client:request("$JS.API.STREAM.CREATE.MAILSLOT", [[{
      "name": "MAILSLOT", "subjects": ["ms.u.>", "ms.g.>"], "retention": "interest",
      "storage": "file", "discard": "new", "duplicate_window": 100000000 }]]))
    local beta = network.machine("beta")
    local b = nats.gateway(beta, { JOBS }, "", 1)
    local jobs = beta:server("-s", "jobs")
    local function publish(number, text)
      return client:request("ms.u.beta.alpha.jobs", text,
        ("Nats-Msg-Id: 0123456789abcdef0123456789abcdef:%d"):format(number))
    end
    publish(7, "once")
    support.await(function()
      return not publish(7, "twice"):find("duplicate", 1, true)
    end, "a server that has forgotten")
    publish(8, "next")
    expect(jobs, 1, "once")
    expect(jobs, 2, "next")
    client:close()
    network.stop(jobs, b)
    nats.stop(server)
  end)
end)
