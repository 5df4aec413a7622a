-- SPDX-License-Identifier: MIT
-- The classic sample pair, end to end.

local support = require("tests.spec.support")
local scripts = require("tests.spec.scripts")

local CHECKING, NOTHING = "Checking new messages...", "No new messages."

describe("the classic sample", function()
  before_each(support.enter)
  after_each(support.leave)

  it("case 106: the server finds nothing new before any client ran", function()
    local server = scripts.server()
    assert.same({ CHECKING, NOTHING }, scripts.lines(server, 2))
    assert.equal(130, scripts.stop(server))
    assert.equal("", server.err)
  end)

  it("cases 107, 108: the server shows two messages, then one, looking every 5 s", function()
    local server = scripts.server()
    assert.same({ CHECKING, NOTHING }, scripts.lines(server, 2))
    local client = scripts.client("--sample")
    local seconds, lines = support.time(scripts.lines, server, 3)
    assert.same({
      CHECKING,
      "Message #1: Message 1 for mailslot",
      "Message #2: Message 2 for mailslot",
    }, lines)
    assert.is_true(seconds > 4 and seconds < 8, "after " .. seconds .. " s")
    assert.equal(0, scripts.finish(client))
    assert.same({ CHECKING, "Message #1: Message 3 for mailslot", CHECKING },
      scripts.lines(server, 3))
    assert.equal(130, scripts.stop(server))
    assert.equal("", client.out .. client.err .. server.err)
  end)

  it("case 107: the client pauses three seconds before the third message", function()
    local server = scripts.serving("--follow", "-n", "3", "-F", "json", "-T")
    local client = scripts.client("--sample")
    local times = {}
    for i, line in ipairs(scripts.lines(server, 3)) do
      assert.equal(("Message %d for mailslot"):format(i), line:match('"data":"(.-)"'))
      times[i] = tonumber(line:match('"time":([%d.]+)'))
    end
    assert.is_true(times[2] - times[1] < 1)
    assert.is_true(times[3] - times[2] > 2.9 and times[3] - times[2] < 6)
    assert.equal(0, scripts.finish(client))
    assert.equal(0, scripts.finish(server))
  end)

  it("says with --verbose what the classic client says", function()
    local server = scripts.serving("--follow", "-n", "3")
    local client = scripts.client("--sample", "--verbose")
    assert.equal(0, scripts.finish(client))
    for i = 1, 3 do
      local text = ('The message "Message %d for mailslot" is written to the slot\n'):format(i)
      assert.truthy(client.err:find(text, 1, true))
    end
    assert.equal("", client.out)
    assert.equal(0, scripts.finish(server))
  end)

  it("case 109: without a server the client says so and exits with 3", function()
    local client = scripts.client("--sample")
    assert.equal(3, scripts.finish(client))
    assert.equal("client.lua: nobody serves slot HelloWorld: first run lua5.4 "
      .. scripts.folder .. "/server.lua\n", client.err)
  end)

  it("case 110: a second server says who serves the slot and leaves it alone", function()
    local server = scripts.serving("--follow", "-n", "2")
    scripts.send("before")
    local second = scripts.server()
    assert.equal(3, scripts.finish(second))
    assert.equal(("server.lua: slot HelloWorld is served by process %d\n"):format(server.pid),
      second.err)
    assert.equal("", second.out)
    scripts.send("after")
    assert.equal(0, scripts.finish(server))
    assert.equal("Checking new messages...\nMessage #1: before\nMessage #2: after\n", server.out)
  end)

  it("case 89: after SIGKILL of the server a new one takes the name at once", function()
    local server = scripts.serving()
    scripts.send("lost")
    assert.equal("signal 9", scripts.stop(server, "sigkill"))
    assert.equal(3, scripts.finish(scripts.client("nobody")))
    local heir = scripts.server("--once")
    assert.equal(0, scripts.finish(heir))
    assert.equal("Checking new messages...\nNo new messages.\n", heir.out)
  end)

  it("case 82: a server that was stopped leaves no file, and its name is free", function()
    for _, signal in ipairs({ "sigint", "sigterm" }) do
      local server = scripts.serving()
      assert.equal(1, #support.files())
      scripts.stop(server, signal)
      assert.same({}, support.files())
      assert.equal(3, scripts.finish(scripts.client("nobody")))
    end
  end)
end)
