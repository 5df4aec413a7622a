-- SPDX-License-Identifier: MIT
-- client.lua: what it sends, what it waits for, how it ends.

local mailslot = require("mailslot")
local support = require("tests.spec.support")
local scripts = require("tests.spec.scripts")
local uv = require("luv")

local slot

local function create(options)
  slot = assert(mailslot.create("HelloWorld", options))
end

-- Runs client.lua with an input; returns the exit status and its errors.
local function run(input, ...)
  local client = scripts.client(...)
  if input then
    client:write(input)
    client:close_input()
  end
  local status = scripts.finish(client)
  assert.equal("", client.out)
  return status, client.err
end

-- What arrives when client.lua gets this input.
local function sent(input, ...)
  assert.same({ 0, "" }, { run(input, ...) })
  return slot:read_all()
end

-- The memory of its own that a process uses, in KiB.
local function own_memory(pid)
  local file <close> = assert(io.open(("/proc/%d/status"):format(pid)))
  return tonumber(file:read("a"):match("RssAnon:%s*(%d+) kB"))
end

-- Waits until client.lua has taken its input.
local function drain(client)
  support.await(function()
    return client.input:get_write_queue_size() == 0
  end, "client.lua to take its input")
end

local NOBODY = "client.lua: nobody serves slot %s: first run lua5.4 "
  .. scripts.folder .. "/server.lua%s\n"

describe("client.lua", function()
  before_each(support.enter)
  after_each(function()
    if slot then
      slot:close()
      slot = nil
    end
    support.leave()
  end)

  describe("with messages as arguments", function()
    before_each(function()
      create()
    end)

    it("sends each as one message, in order", function()
      assert.same({ "one", "two words", "", "é\n" }, sent(nil, "one", "two words", "", "é\n"))
    end)

    it("takes what follows -- as messages", function()
      assert.same({ "-v", "--slot", "-1" }, sent(nil, "--", "-v", "--slot", "-1"))
    end)

    it("does not read standard input", function()
      assert.same({ "one" }, sent("not this\n", "one"))
    end)

    it("says with --verbose on standard error what it sends, escaped", function()
      local status, errors = run(nil, "-v", "one\27")
      assert.equal(0, status)
      assert.equal([[
client.lua: slot HelloWorld is opened
client.lua: The message "one\x1b" is written to the slot
client.lua: messages sent: 1
]], errors)
    end)
  end)

  describe("with messages on standard input", function()
    before_each(function()
      create()
    end)

    it("sends a message a line", function()
      assert.same({ "one", "", "two\r", "\0\255", "last" },
        sent("one\n\ntwo\r\n\0\255\nlast"))
      assert.same({ "one" }, sent("one\n"))
      assert.same({}, sent(""))
    end)

    it("sends each line as it comes", function()
      local client = scripts.client()
      for i = 1, 3 do
        client:write(("line %d\nbegin"):format(i))
        assert.equal((i > 1 and "begin" or "") .. "line " .. i, slot:read(support.DEADLINE))
      end
      client:succeed()
      assert.equal("begin", slot:read())
    end)

    it("sends 1000 lines in order", function()
      local lines = {}
      for i = 1, 1000 do
        lines[i] = "line " .. i
      end
      assert.same(lines, sent(table.concat(lines, "\n") .. "\n"))
    end)

    it("takes a file, a pipe and a socket as input", function()
      scripts.with_folder(function(folder)
        local file = assert(io.open(folder .. "/input", "w"))
        file:write("from\nfile\n")
        file:close()
        scripts.shell(("lua5.4 $S/client.lua < %s/input"):format(folder)):succeed()
        assert.same({ "from", "file" }, slot:read_all())
        scripts.shell(("cat %s/input | lua5.4 $S/client.lua"):format(folder)):succeed()
        assert.same({ "from", "file" }, slot:read_all())
      end)
      assert.same({ "from", "socket" }, sent("from\nsocket\n"))
    end)

    it("reads a file on from where it stands", function()
      local shell = scripts.shell("{ read first; lua5.4 $S/client.lua; } < $S/client.lua")
      shell:succeed()
      assert.equal("-- SPDX-License-Identifier: MIT", slot:read())
      slot:read_all()
    end)

    it("leaves a pipe that others share as it was: blocking", function()
      local shell = scripts.shell("cat | sh -c 'echo $$; exec lua5.4 $S/client.lua'")
      local pid = shell:line()
      shell:write("one\n")
      assert.equal("one", slot:read(support.DEADLINE))
      local file <close> = assert(io.open(("/proc/%s/fdinfo/0"):format(pid)))
      local flags = tonumber(file:read("a"):match("flags:%s*(%d+)"), 8)
      assert.equal(0, flags & uv.constants.O_NONBLOCK)
      shell:succeed()
    end)

    it("takes what ends in a NUL byte as a message with --null", function()
      assert.same({ "a\n", "", "b\n" }, sent("a\n\0\0b\n", "--null"))
      assert.same({ "a" }, sent("a\0", "-0"))
    end)

    it("sends all of it as one message with --whole", function()
      local large = ("0123456789abcde\n"):rep(70000)
      assert.same({ large }, sent(large, "--whole"))
      assert.same({ "" }, sent("", "-w"))
    end)

    it("sends long lines whole", function()
      local long = ("x"):rep(3000000)
      assert.same({ long, "", long }, sent(long .. "\n\n" .. long))
    end)

    it("keeps its memory small however long the input is", function()
      if uv.os_getenv("LD_PRELOAD") then
        pending("a sanitizer keeps memory that was freed")
      end
      local client = scripts.client()
      local piece = ("x"):rep(99) .. "\n"
      client:write(piece)
      assert(slot:wait(support.DEADLINE))
      local before = own_memory(client.pid)
      for _ = 1, 32 do
        client:write(piece:rep(10000))
        drain(client)
        slot:read_all()
      end
      assert.is_true(own_memory(client.pid) - before < 4000)
      client:succeed()
    end)

    it("takes what is typed on a terminal", function()
      local client = scripts.on_terminal("client.lua")
      scripts.await(client, "out", "client.lua: type messages, one a line; Ctrl%-D ends")
      client:write("typed\n")
      assert.equal("typed", slot:read(support.DEADLINE))
      client:write("\4")
      assert.equal(0, scripts.finish(client))
    end)

    it("exits with 1 when standard input cannot be read", function()
      local client = scripts.shell("lua5.4 $S/client.lua < /")
      assert.equal(1, (client:finish()))
      assert.truthy(client.err:find("^client.lua: cannot read standard input: EISDIR[^\n]*\n$"))
    end)
  end)

  describe("a slot that does not take it", function()
    it("exits with 3 when nobody serves it, before it reads its input", function()
      local client = scripts.client()
      assert.equal(3, scripts.finish(client))
      assert.equal(NOBODY:format("HelloWorld", ""), client.err)
    end)

    it("says how to serve the slot that was meant", function()
      for name, option in pairs({ jobs = " -s jobs", ["it's\\1"] = [[ -s 'it'\''s\1']] }) do
        local client = scripts.client("-s", name, "hello")
        assert.equal(3, scripts.finish(client))
        assert.equal(NOBODY:format(name, option), client.err)
      end
    end)

    it("waits with --wait for the slot to appear", function()
      local client = scripts.client("-W", "30", "hello")
      client:await_sleep()
      create()
      assert.equal("hello", slot:read(support.DEADLINE))
      client:succeed()
    end)

    it("exits with 3 when the slot does not appear in time", function()
      local seconds, status = support.time(run, nil, "-W", "0.5", "hello")
      assert.equal(3, status)
      assert.is_true(seconds >= 0.5 and seconds < 10)
    end)

    it("exits with 4 at once when it is full, and says which message is missing", function()
      create({ max_bytes = 4096, max_message_size = 1024 })
      local message = ("x"):rep(1008)
      local status, errors = run(nil, message, message, message, message)
      assert.equal(4, status)
      assert.equal("client.lua: message 4 was not sent: slot HelloWorld is full\n", errors)
      assert.equal(3, #slot)
    end)

    it("exits with 4 when it stays full for --wait seconds", function()
      create({ max_bytes = 4096 })
      local message = ("x"):rep(1500)
      local seconds, status = support.time(run, nil, "-W", "0.5", message, message, message)
      assert.equal(4, status)
      assert.is_true(seconds >= 0.5 and seconds < 10)
      assert.equal(2, #slot)
    end)

    it("waits with --wait for space", function()
      create({ max_bytes = 4096 })
      local client = scripts.client("-W", "30", ("a"):rep(1500), ("b"):rep(1500), ("c"):rep(1500))
      support.await(function()
        return #slot == 2
      end, "a full slot")
      client:await_sleep()
      assert.equal(("a"):rep(1500), slot:read())
      client:succeed()
      assert.same({ ("b"):rep(1500), ("c"):rep(1500) }, slot:read_all())
    end)

    it("exits with 1 when a message is too large, and sends what came before it", function()
      create({ max_message_size = 10 })
      local status, errors = run(nil, "small", ("x"):rep(11), "never")
      assert.equal(1, status)
      assert.truthy(errors:find("^client.lua: message 2 was not sent: [^\n]*too large\n$"))
      assert.same({ "small" }, slot:read_all())
    end)

    it("ends when a line without end grows larger than the slot takes", function()
      create({ max_message_size = 100000 })
      for _, how in ipairs({ "--null", "--whole" }) do
        local client = scripts.shell("yes | lua5.4 $S/client.lua " .. how)
        assert.equal(1, (client:finish()))
        assert.equal("client.lua: message 1 is larger than slot HelloWorld takes\n", client.err)
      end
    end)

    it("sends to the server that took the place of the one that has gone", function()
      create()
      local client = scripts.client()
      for i = 1, 3 do
        client:write(("line %d\n"):format(i))
        assert.equal("line " .. i, slot:read(support.DEADLINE))
        slot:close()
        create()
      end
      client:succeed()
      assert.equal("", client.err)
    end)

    it("waits with --wait for a server that comes back", function()
      create()
      local client = scripts.client("-W", "30")
      client:write("one\n")
      assert.equal("one", slot:read(support.DEADLINE))
      slot:close()
      client:write("two\n")
      drain(client)
      client:await_sleep()
      create()
      assert.equal("two", slot:read(support.DEADLINE))
      client:succeed()
    end)

    it("exits with 3 when the server has gone and nobody took its place", function()
      create()
      local client = scripts.client()
      client:write("one\n")
      assert.equal("one", slot:read(support.DEADLINE))
      slot:close()
      client:write("two\n")
      assert.equal(3, scripts.finish(client))
      assert.equal(NOBODY:format("HelloWorld", ""), client.err)
    end)

    it("case 14: says what to start for slots of other machines", function()
      local client = scripts.client("-s", [[\\HOST\mailslot\jobs]], "hello")
      assert.equal(3, scripts.finish(client))
      assert.matches("no gateway serves this machine: start mailslot-gateway", client.err, 1, true)
    end)
  end)

  for signal, status in pairs({ sigint = 130, sigterm = 143 }) do
    it(("leaves at %s with %d, whatever it waits for"):format(signal, status), function()
      local for_slot = scripts.client("-W", "100", "hello")
      for_slot:await_sleep()
      assert.equal(status, scripts.stop(for_slot, signal))
      create({ max_bytes = 4096 })
      local for_input = scripts.client()
      for_input:write("one\npart of a line")
      assert.equal("one", slot:read(support.DEADLINE))
      assert.equal(status, scripts.stop(for_input, signal))
      local for_space = scripts.client("-W", "100", ("x"):rep(1500), ("x"):rep(1500),
        ("x"):rep(1500))
      support.await(function()
        return #slot == 2
      end, "a full slot")
      assert.equal(status, scripts.stop(for_space, signal))
      assert.equal("", for_slot.err .. for_input.err .. for_space.err)
    end)
  end

  it("leaves at Ctrl-C on a terminal with 130 and without a traceback", function()
    create()
    local client = scripts.on_terminal("client.lua")
    scripts.await(client, "out", "Ctrl%-D ends")
    client:write("\3")
    assert.equal(130, scripts.finish(client))
    assert.is_nil(client.out:find("traceback"))
  end)
end)
