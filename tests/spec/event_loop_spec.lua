-- SPDX-License-Identifier: MIT
-- A slot in the event loops that Lua programs use.

local support = require "tests.spec.support"
local mailslot = require "mailslot"
local uv = require "luv"

local SENDER = [[
  local writer = assert(mailslot.open("jobs"))
  for line in io.lines() do assert(writer:send(line)) end
]]

describe("a slot in an event loop", function()
  local slot

  before_each(function()
    support.enter()
    slot = assert(mailslot.create("jobs"))
  end)

  after_each(function()
    slot:close()
    support.leave()
  end)

  it("has one descriptor, and what it says to each protocol", function()
    local fd = slot:getfd()
    assert.equal("integer", math.type(fd))
    assert.equal(fd, slot:getfd())
    assert.equal(fd, slot:pollfd())
    assert.equal("r", slot:events())
    assert.same({ n = 1 }, table.pack(slot:timeout()))
    mailslot.send("jobs", "x")
    assert.is_false(slot:dirty())
  end)

  it("raises when it is closed, and is not a writer", function()
    local writer <close> = assert(mailslot.open("jobs"))
    slot:close()
    for _, name in ipairs { "getfd", "pollfd", "events", "timeout", "dirty" } do
      assert.error_matches(function()
        slot[name](slot)
      end, "closed slot")
      assert.is_nil(writer[name])
    end
  end)

  it("says when there is no descriptor to be had", function()
    local child = support.spawn("sh", { "-c", 'ulimit -n 20; exec lua5.4 -e "$0"', ([[
      package.cpath = %q
      local mailslot = require "mailslot"
      local slot = assert(mailslot.create("few"))
      local files = {}
      repeat files[#files + 1] = io.open("/dev/null") until not io.open("/dev/null")
      print(slot:getfd())
    ]]):format(package.cpath) })
    child:succeed()
    assert.equal("nil\tmailslot 'few': this process has too many open files\tEMFILE\n", child.out)
  end)

  it("works in luv, one message a call", function()
    local child = support.lua(SENDER)
    local poll = uv.new_poll(slot:getfd())
    local got, empty = {}, 0
    poll:start("r", function(failure, events)
      assert(not failure, failure)
      assert(events == "r")
      local message = slot:read(0)
      empty = empty + (message and 0 or 1)
      got[#got + 1] = message
    end)
    local expected = {}
    for i = 1, 200 do
      expected[i] = "message " .. i
      child:write(expected[i] .. "\n")
      if i % 3 == 0 then
        support.await(function() return #got == i end, expected[i])
      end
    end
    support.await(function() return #got == 200 end, "all messages")
    assert.same(expected, got)
    assert.equal(0, empty)
    poll:stop()
    poll:close()
    child:succeed()
  end)

  it("works in luasocket's select", function()
    local socket = require "socket"
    local function select(seconds)
      local ready = socket.select({ slot }, {}, seconds)
      return ready[1] == slot and ready[slot] == 1
    end
    local child = support.lua(SENDER)
    assert.is_false(select(0))
    for i = 1, 100 do
      child:write(i .. "\n")
      assert.is_true(select(support.DEADLINE))
      assert.equal(tostring(i), slot:read(0))
      assert.is_false(select(0))
    end
    child:succeed()
  end)

  it("works in cqueues", function()
    local cqueues = require "cqueues"
    local child = support.lua(SENDER)
    local loop, got = cqueues.new(), {}
    loop:wrap(function()
      while #got < 100 do
        assert(cqueues.poll(slot, support.DEADLINE) == slot, "nothing came")
        got[#got + 1] = assert(slot:read(0))
        child:write(#got .. "\n")
      end
      cqueues.cancel(slot:pollfd())
    end)
    local other = 0
    loop:wrap(function()
      while #got < 100 do
        cqueues.sleep(0)
        other = other + 1
        uv.run("nowait")
      end
    end)
    child:write("first\n")
    assert(loop:loop(support.DEADLINE))
    assert.equal(100, #got)
    assert.equal("99", got[100])
    assert.is_true(other > 0)
    support.await(function() return slot:read(0) == "100" end, "the last message")
    loop:close()
    child:succeed()
  end)

  it("goes on with calls that wait", function()
    local child = support.lua(SENDER)
    slot:getfd()
    for i = 1, 50 do
      child:write(i .. "\n")
      uv.run("nowait")
      assert.equal(tostring(i), slot:read(support.DEADLINE))
    end
    assert.equal("ETIMEDOUT", select(3, slot:wait(0.01)))
    child:succeed()
  end)
end)
