-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

describe("slot:wait", function()
  local slot

  before_each(function()
    support.enter()
    slot = assert(mailslot.create("jobs"))
  end)

  after_each(function()
    slot:close()
    support.leave()
  end)

  it("returns true at once while a message is queued, and takes none", function()
    mailslot.send("jobs", "hello")
    for _, timeout in ipairs { 0, 60, math.huge } do
      local seconds, result = support.time(slot.wait, slot, timeout)
      assert.is_true(result)
      assert.is_true(seconds < 5)
    end
    assert.is_true(slot:wait())
    assert.same({ "hello" }, slot:read_all())
  end)

  it("says that nothing came", function()
    local result, text, code = slot:wait(0)
    assert.is_nil(result)
    assert.matches("^mailslot 'jobs': ", text)
    assert.equal("EAGAIN", code)
    assert.equal("EAGAIN", select(3, slot:wait()))
    local seconds
    seconds, result, text, code = support.time(slot.wait, slot, 0.3)
    assert.is_nil(result)
    assert.matches("^mailslot 'jobs': %w", text)
    assert.equal("ETIMEDOUT", code)
    assert.is_true(seconds >= 0.3 and seconds < 5, "waited " .. seconds)
  end)

  it("without an argument waits as long as the slot says", function()
    slot:settimeout(0.3)
    local seconds, _, _, code = support.time(slot.wait, slot)
    assert.equal("ETIMEDOUT", code)
    assert.is_true(seconds >= 0.3 and seconds < 5, "waited " .. seconds)
  end)

  it("ends when a message comes", function()
    local child = support.lua([[
      io.read()
      mailslot.send("jobs", "late")
    ]])
    child:write("go\n")
    assert.is_true(slot:wait(math.huge))
    assert.equal("late", slot:read(0))
    child:succeed()
  end)

  it("raises for what is no timeout", function()
    for _, argument in ipairs { -1, "1", {}, false, 0 / 0, -math.huge, 1e10 } do
      assert.error_matches(function()
        slot:wait(argument)
      end, "bad argument #1 to 'wait' %(timeout must be")
    end
  end)
end)

describe("a timeout", function()
  local slot

  before_each(function()
    support.enter()
    slot = assert(mailslot.create("jobs"))
  end)

  after_each(function()
    slot:close()
    support.leave()
  end)

  it("case 75: is echoed as it was set", function()
    for _, seconds in ipairs { 0, 0.001, 0.25, 1, 60, 4294967.294, math.huge } do
      assert.is_true(slot:settimeout(seconds))
      assert.equal(seconds, slot:gettimeout())
      assert.equal(seconds, slot:info().timeout)
    end
  end)

  it("with three decimals is what it says, whatever its binary form", function()
    for ms = 0, 9999 do
      local seconds = tonumber(("%d.%03d"):format(ms // 1000, ms % 1000))
      slot:settimeout(seconds)
      if slot:gettimeout() ~= seconds then
        error(seconds .. " became " .. slot:gettimeout())
      end
    end
  end)

  it("is rounded up to the next millisecond", function()
    for seconds, expected in pairs {
      [1e-9] = 0.001, [0.0011] = 0.002, [1.2340001] = 1.235, [5e-324] = 0.001,
    } do
      slot:settimeout(seconds)
      assert.equal(expected, slot:gettimeout())
    end
  end)

  it("may be an integer", function()
    slot:settimeout(3)
    assert.equal("float", math.type(slot:gettimeout()))
    assert.equal(3, slot:gettimeout())
  end)

  it("case 20: raises when it is out of range, and stays what it was", function()
    slot:settimeout(0.5)
    for _, value in ipairs {
      -1, -1e-9, math.mininteger, math.maxinteger, 4294967.2941, 1e300, -math.huge, 0 / 0,
      "1", true, {},
    } do
      assert.error_matches(function()
        slot:settimeout(value)
      end, "bad argument #1 to 'settimeout' %(timeout must be")
    end
    assert.error_matches(function()
      slot:settimeout()
    end, "bad argument #1 to 'settimeout' %(timeout must be")
    assert.equal(0.5, slot:gettimeout())
  end)

  it("case 78: is not a writer's", function()
    local writer <close> = assert(mailslot.open("jobs"))
    assert.is_nil(writer.settimeout)
    assert.error_matches(function()
      slot.settimeout(writer, 1)
    end, "mailslot expected, got mailslot writer")
  end)
end)
