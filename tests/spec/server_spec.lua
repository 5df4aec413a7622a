-- SPDX-License-Identifier: MIT
-- server.lua: what it shows, how long it serves, how it ends. See sample_spec for the
-- conversation with client.lua, scripts_spec for how the scripts are found and started.

local json = require("dkjson")
local mailslot = require("mailslot")
local support = require("tests.spec.support")
local scripts = require("tests.spec.scripts")
local uv = require("luv")

local CHECKING, NOTHING = "Checking new messages...\n", "No new messages.\n"

-- What a server with these options writes about the messages, sent at once.
local function show(messages, ...)
  local server = scripts.serving("--follow", "-n", tostring(#messages), ...)
  assert(mailslot.open("HelloWorld")):send_all(messages)
  assert.equal(0, scripts.finish(server))
  return server.out
end

-- Runs server.lua to its end; returns the exit status, what it wrote and its errors.
local function run(...)
  local server = scripts.server(...)
  return scripts.finish(server), server.out, server.err
end

describe("server.lua", function()
  before_each(support.enter)
  after_each(function()
    collectgarbage()
    support.leave()
  end)

  it("takes the modes that a slot can have, and groups that there are", function()
    for _, options in ipairs {
      { "-m", "0666" }, { "-m", "622" }, { "-g", "root" }, { "-m", "0602", "-g", "root" },
      { "-m", "0620", "-g", "no such group" }, { "-m", "0620", "-g", "-5" },
    } do
      local status, _, err = run("-1", table.unpack(options))
      assert.equal(2, status, table.concat(options, " ") .. ": " .. err)
    end
    assert.same({}, support.files())
    local _, _, err = run("-m", "0620", "-g", "no such group")
    assert.equal("server.lua: --group no such group: there is no group 'no such group'\n", err)
  end)

  describe("when it looks", function()
    it("looks at once and then in intervals", function()
      local server = scripts.server("-i", "0.5")
      local seconds = support.time(scripts.lines, server, 2)
      assert.is_true(seconds < 5)
      seconds = support.time(scripts.lines, server, 4)
      assert.is_true(seconds > 0.8 and seconds < 5, seconds .. " s")
      assert.equal(130, scripts.stop(server))
    end)

    it("numbers messages from 1 on every check", function()
      local server = scripts.serving("-i", "0.2", "-q")
      local writer = assert(mailslot.open("HelloWorld"))
      assert(writer:send_all({ "a", "b" }))
      server:expect("Message #1: a")
      server:expect("Message #2: b")
      assert(writer:send("c"))
      server:expect("Message #1: c")
      assert.equal(130, scripts.stop(server))
    end)

    it("shows messages as they come with --follow, and numbers them on", function()
      local server = scripts.serving("--follow", "--interval", "1000")
      server:expect("Checking new messages...")
      for i = 1, 3 do
        scripts.send("hello")
        server:expect(("Message #%d: hello"):format(i), 4)
      end
      assert.equal(130, scripts.stop(server))
    end)

    it("uses practically no processor time while it waits", function()
      local server = scripts.serving("--follow")
      local function ticks()
        local file <close> = assert(io.open(("/proc/%d/stat"):format(server.pid)))
        local user, system = file:read("a"):match("%) " .. ("%S+ "):rep(11) .. "(%d+) (%d+)")
        return user + system
      end
      local before, start = ticks(), support.now()
      support.await(function()
        return support.now() - start > 2
      end, "two seconds")
      assert.is_true(ticks() - before <= 2, "more than 1 % of a processor")
      assert.equal(130, scripts.stop(server))
    end)
  end)

  describe("when it ends", function()
    it("ends after one check with --once", function()
      local status, out, err = run("--once")
      assert.equal(0, status)
      assert.equal(CHECKING .. NOTHING, out)
      assert.equal("", err)
      assert.same({}, support.files())
    end)

    it("waits with --once --follow for the first message, shows what is there, ends", function()
      local server = scripts.serving("-1", "--follow")
      assert(mailslot.open("HelloWorld")):send_all({ "a", "b" })
      assert.equal(0, scripts.finish(server))
      assert.equal(CHECKING .. "Message #1: a\nMessage #2: b\n", server.out)
    end)

    it("waits with --once --wait for the first message", function()
      local server = scripts.serving("-1", "-W", "30")
      scripts.send("a")
      assert.equal(0, scripts.finish(server))
      assert.equal(CHECKING .. "Message #1: a\n", server.out)
    end)

    it("ends after --count messages, however many are queued", function()
      local server = scripts.serving("-n", "2", "-i", "0.2", "-q")
      assert(mailslot.open("HelloWorld")):send_all({ "a", "b", "c" })
      assert.equal(0, scripts.finish(server))
      assert.equal("Message #1: a\nMessage #2: b\n", server.out)
    end)

    it("counts the messages of all checks for --count", function()
      local server = scripts.serving("--count", "2", "-i", "0.1", "-q")
      scripts.send("a")
      server:expect("Message #1: a")
      scripts.send("b")
      assert.equal(0, scripts.finish(server))
      assert.equal("Message #1: b\n", server.out)
    end)

    it("exits with 4 when nothing came in time, however it waits", function()
      for _, how in ipairs({ "--follow", "--once", "--interval=0.2", "--interval=100" }) do
        local seconds, status, _, err = support.time(run, "-W", "0.5", how)
        assert.equal(4, status)
        assert.equal("server.lua: nothing came for 0.5 s\n", err)
        assert.is_true(seconds >= 0.5 and seconds < 10, how .. ": " .. seconds .. " s")
      end
      assert.equal(4, (run("-W", "0")))
    end)

    it("counts the time of --wait from the last message", function()
      for _, how in ipairs({ "--follow", "--interval=0.05" }) do
        local server = scripts.serving("-W", "1", "-q", how)
        local seconds = support.time(function()
          for _ = 1, 3 do
            local start = support.now()
            support.await(function()
              return support.now() - start > 0.5
            end, "half the time")
            scripts.send("still here")
            server:line()
          end
          assert.equal(4, scripts.finish(server))
        end)
        assert.is_true(seconds > 2.4, how .. ": " .. seconds .. " s")
      end
    end)

    for signal, status in pairs({ sigint = 130, sigterm = 143 }) do
      it(("leaves at %s with %d, quietly, and frees the name"):format(signal, status), function()
        for _, how in ipairs({ "--follow", "--interval=100" }) do
          local server = scripts.serving(how)
          local notes = server.err
          server:await_sleep()
          local seconds, result = support.time(scripts.stop, server, signal)
          assert.equal(status, result)
          assert.is_true(seconds < 2, seconds .. " s")
          assert.equal(notes, server.err)
          assert.same({}, support.files())
        end
      end)
    end

    it("can be ended while nobody empties its output", function()
      local server = scripts.shell([[exec 3<&0
        { lua5.4 $S/server.lua -v --follow; echo "status $?" >&2; } | { cat <&3; true; }]])
      local pid = tonumber(scripts.await(server, "err", "created by process (%d+)"))
      assert(mailslot.open("HelloWorld")):send(("x"):rep(1000000))
      support.await(function()
        return mailslot.info("HelloWorld").count == 0
      end, "the server to read")
      support.await(function()
        uv.kill(pid, "sigterm")
        return server.err:find("status 143\n", 1, true)
      end, "the end of the server")
      assert.equal(0, (server:finish()))
      assert.equal("ENOENT", select(3, mailslot.open("HelloWorld")))
      assert(mailslot.create("HelloWorld")):close()
    end)

    it("ends cleanly when the reader of its output has gone", function()
      local server = scripts.shell(
        [[{ lua5.4 $S/server.lua -i 0.1; echo "status $?" >&2; } | head -n 1]])
      server:succeed()
      assert.equal(CHECKING, server.out)
      assert.equal("status 0\n", server.err)
      assert.same({}, support.files())
    end)

    it("exits with 1 when it cannot write", function()
      local server = scripts.shell("lua5.4 $S/server.lua > /dev/full")
      assert.equal(1, (server:finish()))
      assert.equal("server.lua: cannot write: No space left on device\n", server.err)
      assert.same({}, support.files())
    end)
  end)

  describe("its output", function()
    it("is the sample's text, exact bytes when it is not a terminal", function()
      local out = show({ "one", "", "t\27[1m\0\255\n" })
      assert.equal(CHECKING .. "Message #1: one\nMessage #2: \nMessage #3: t\27[1m\0\255\n\n", out)
    end)

    it("has only messages with --quiet", function()
      assert.equal("Message #1: one\n", show({ "one" }, "--quiet"))
      local status, out = run("-q", "-1")
      assert.equal(0, status)
      assert.equal("", out)
    end)

    it("says when with --timestamps, in RFC 3339", function()
      local before = os.time()
      local out = show({ "one" }, "-q", "-T")
      local day, clock, text = out:match(
        "^(%d%d%d%d%-%d%d%-%d%d)T(%d%d:%d%d:%d%d)%.%d%d%d[+-]%d%d:%d%d (.*)$")
      assert.equal("Message #1: one\n", text)
      local sent = day .. " " .. clock
      assert.is_true(sent >= os.date("%Y-%m-%d %H:%M:%S", before - 1))
      assert.is_true(sent <= os.date("%Y-%m-%d %H:%M:%S"))
    end)

    it("says who with --meta", function()
      local pid, uid, gid, seq = show({ "one" }, "-q", "--meta"):match(
        "^Message #1 %(pid (%d+), uid (%d+), gid (%d+), seq (%d+)%): one\n$")
      assert.same({ uv.os_getpid(), uv.getuid(), uv.getgid(), 1 },
        { tonumber(pid), tonumber(uid), tonumber(gid), tonumber(seq) })
    end)

    it("is one JSON object a line with --format json", function()
      local messages = { 'say "é"\\\n\27', "", "\0" }
      local out = show(messages, "-F", "json")
      local number = 0
      for line in out:gmatch("(.-)\n") do
        number = number + 1
        assert.same({ data = messages[number] }, json.decode(line))
      end
      assert.equal(3, number)
    end)

    it("has data_base64 in JSON for what is not UTF-8", function()
      local out = show({ "\255", "\254\255", "ab\200", "\237\160\128d" }, "-F", "json")
      assert.equal([[
{"data_base64":"/w=="}
{"data_base64":"/v8="}
{"data_base64":"YWLI"}
{"data_base64":"7aCAZA=="}
]], out)
    end)

    it("has the envelope in JSON with --meta, the time with --timestamps", function()
      local before = os.time() - 1
      local object = json.decode(show({ "one" }, "-F", "json", "--meta"))
      assert.is_true(object.time >= before and object.time <= os.time() + 1)
      object.time = nil
      assert.same({ data = "one", pid = uv.os_getpid(), uid = uv.getuid(), gid = uv.getgid(),
        seq = 1 }, object)
      object = json.decode(show({ "two" }, "-F", "json", "-T"))
      assert.is_true(object.time >= before and object.time <= os.time() + 1)
      object.time = nil
      assert.same({ data = "two" }, object)
    end)

    it("is nothing but the bytes with --format raw", function()
      local bytes = {}
      for byte = 0, 255 do
        bytes[#bytes + 1] = string.char(byte)
      end
      local all = table.concat(bytes)
      assert.equal(all .. "x" .. all, show({ all, "", "x", all }, "-F", "raw"))
    end)

    it("comes as it happens, also without a line break", function()
      local server = scripts.serving("-F", "raw", "--follow")
      scripts.send("no line")
      scripts.await(server, "out", "^no line$")
      assert.equal(130, scripts.stop(server))
    end)

    it("has control characters escaped on a terminal", function()
      local server = scripts.on_terminal("server.lua -v --follow -n 4")
      scripts.await(server, "out", "is created")
      scripts.send("a\27[0m\tb\nc", "é", "\255é", "\194\155x")
      scripts.await(server, "out", "messages shown: 4")
      assert.equal(0, (server:finish()))
      local shown = server.out:gsub("\r", "")
      assert.equal([[
Message #1: a\x1b[0m\tb\nc
Message #2: é
Message #3: \xff\xc3\xa9
Message #4: \xc2\x9bx
]], shown:match("Message #1.-x\n"))
    end)

    it("is raw on a terminal too, if asked for", function()
      local server = scripts.on_terminal("server.lua -v --follow -n 1 -F raw")
      scripts.await(server, "out", "is created")
      scripts.send("a\27[0m")
      scripts.await(server, "out", "messages shown: 1")
      assert.equal(0, (server:finish()))
      assert.truthy(server.out:find("a\27[0m", 1, true))
    end)

    it("says with --verbose on standard error what happens", function()
      local server = scripts.serving("--follow", "-n", "1", "-q")
      scripts.send("one")
      assert.equal(0, scripts.finish(server))
      assert.equal(("server.lua: slot HelloWorld is created by process %d\n"
        .. "server.lua: messages shown: 1\n"):format(server.pid), server.err)
    end)
  end)

  it("leaves at Ctrl-C on a terminal with 130 and without a traceback", function()
    for _, how in ipairs({ "--follow", "" }) do
      local server = scripts.on_terminal("server.lua -v " .. how)
      scripts.await(server, "out", "Checking")
      server:write("\3")
      assert.equal(130, scripts.finish(server))
      assert.is_nil(server.out:find("traceback"))
      assert.same({}, support.files())
    end
  end)
end)
