-- SPDX-License-Identifier: MIT
-- Lua may run out of memory at any allocation. `trouble.starve(n, f, ...)` calls f with
-- memory for n allocations.
local support = require "tests.spec.support"
local mailslot = require "mailslot"
local trouble = require "trouble"

describe("without memory for Lua", function()
  before_each(support.enter)
  after_each(support.leave)

  -- Calls f with memory for 0, 1, 2... allocations until it succeeds; `check` looks at what
  -- each failure left. Returns how often it failed, and the result.
  local function starve(check, f, ...)
    local failures = 0
    while true do
      local alive, result = trouble.starve(failures, f, ...)
      if alive then
        return failures, result
      end
      assert(result == "not enough memory", result)
      failures = failures + 1
      check()
    end
  end

  it("create leaves nothing behind", function()
    local open = support.descriptors()
    local failures, slot = starve(function()
      collectgarbage()
      assert.same({}, support.files())
      assert.equal(open, support.descriptors())
    end, mailslot.create, "jobs")
    assert.is_true(failures > 0)
    assert.equal("slot", mailslot.type(slot))
    slot:close()
  end)

  it("open leaves nothing behind", function()
    local slot <close> = assert(mailslot.create("jobs"))
    local open = support.descriptors()
    local failures, writer = starve(function()
      collectgarbage()
      assert.equal(open, support.descriptors())
    end, mailslot.open, "jobs")
    assert.is_true(failures > 0)
    assert.is_true(writer:send("hello"))
    assert.equal(1, #slot)
    writer:close()
  end)

  it("case 66: read keeps the message", function()
    local slot <close> = assert(mailslot.create("jobs"))
    local message = ("x"):rep(100)
    for _, options in ipairs { false, { meta = true } } do
      mailslot.send("jobs", message)
      mailslot.send("jobs", "after")
      local failures, result = starve(function()
        assert.equal(2, #slot)
      end, slot.read, slot, options or nil)
      assert.is_true(failures > 0)
      assert.equal(message, options and result.data or result)
      assert.equal("after", slot:read())
    end
  end)

  it("case 66: read_all keeps all messages", function()
    local slot <close> = assert(mailslot.create("jobs"))
    local list = {}
    for i = 1, 100 do
      list[i] = ("%03d"):format(i):rep(20)
    end
    local writer <close> = assert(mailslot.open("jobs"))
    for _, options in ipairs { false, { meta = true }, { max = 50 } } do
      assert.equal(100, writer:send_all(list))
      local failures, result = starve(function()
        assert.equal(100, #slot)
      end, slot.read_all, slot, options or nil)
      local expected = options and options.max or 100
      assert.is_true(failures >= expected)
      assert.equal(expected, #result)
      for i = 1, expected do
        assert.equal(list[i], options and options.meta and result[i].data or result[i])
      end
      assert.equal(100 - expected, #slot)
    end
  end)

  it("case 66: after read_all failed, every other call sees the first message", function()
    local slot <close> = assert(mailslot.create("jobs"))
    local writer <close> = assert(mailslot.open("jobs"))
    local function fail()
      assert.is_false(trouble.starve(3, slot.read_all, slot))
    end
    writer:send_all { ("A"):rep(50), ("B"):rep(50), ("C"):rep(50), ("D"):rep(50) }
    fail()
    assert.is_true(slot:wait(0))
    fail()
    assert.equal(4, slot:info().count)
    fail()
    assert.equal(("A"):rep(50), slot:read(0))
    fail()
    assert.equal(("B"):rep(50), slot:messages(0)())
    fail()
    assert.same({ ("C"):rep(50), ("D"):rep(50) }, slot:read_all())
  end)

  it("send_all with numbers sends whole messages, in order", function()
    local slot <close> = assert(mailslot.create("jobs"))
    local writer <close> = assert(mailslot.open("jobs"))
    local list = {}
    for i = 1, 200 do
      list[i] = i + 0.5
    end
    local _, count = starve(function()
      for i, message in ipairs(slot:read_all()) do
        assert.equal(tostring(list[i]), message)
      end
    end, writer.send_all, writer, list)
    assert.equal(200, count)
    assert.equal(200, #slot)
  end)
end)
