-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

describe("slot:read_all", function()
  local slot, writer

  before_each(function()
    support.enter()
    slot = assert(mailslot.create("jobs"))
    writer = assert(mailslot.open("jobs"))
  end)

  after_each(function()
    slot:close()
    writer:close()
    support.leave()
  end)

  it("case 61: returns what is queued, in order, and empties the slot", function()
    writer:send_all { "A", "B", "C" }
    assert.same({ "A", "B", "C" }, slot:read_all())
    assert.equal(0, #slot)
    assert.same({}, slot:read_all())
  end)

  it("is mailslot.read_all", function()
    writer:send_all { "A", "B" }
    assert.same({ "A" }, mailslot.read_all(slot, { max = 1 }))
    assert.same({ "B" }, mailslot.read_all(slot))
    assert.error_matches(function()
      mailslot.read_all("jobs")
    end, "bad argument #1 to '[%w.]*read_all' %(mailslot expected, got string%)")
  end)

  it("case 62: returns an empty list when nothing is queued", function()
    assert.same({}, slot:read_all())
    assert.same({}, slot:read_all(0))
    assert.same({}, slot:read_all { timeout = 0, meta = true, max = 10 })
    assert.equal(1, select("#", slot:read_all()))
  end)

  it("case 63: returns empty messages as empty strings", function()
    writer:send_all { "", "A", "", "" }
    assert.same({ "", "A", "", "" }, slot:read_all())
  end)

  it("case 65: waits for the first message as long as it is told or the slot says", function()
    slot:settimeout(0.3)
    for _, argument in ipairs { 0.3, { timeout = 0.3 }, false } do
      local seconds, list = support.time(slot.read_all, slot, argument or nil)
      assert.same({}, list)
      assert.is_true(seconds >= 0.3 and seconds < 5, "waited " .. seconds)
    end
  end)

  it("case 65: does not wait for more once a message is there", function()
    writer:send_all { "A", "B" }
    local seconds, list = support.time(slot.read_all, slot, math.huge)
    assert.same({ "A", "B" }, list)
    assert.is_true(seconds < 5)
  end)

  it("ends its wait when a message comes", function()
    local child = support.lua([[
      print("ready")
      io.read()
      mailslot.send("jobs", "late")
    ]])
    child:expect("ready")
    child:write("go\n")
    assert.same({ "late" }, slot:read_all(math.huge))
    child:succeed()
  end)

  it("returns no more than max and keeps the rest", function()
    writer:send_all { "A", "B", "C", "D", "E" }
    assert.same({ "A", "B" }, slot:read_all { max = 2 })
    assert.same({ "C" }, slot:read_all { max = 1 })
    assert.equal(2, #slot)
    assert.same({ "D", "E" }, slot:read_all { max = math.maxinteger })
  end)

  it("with meta tells who sent each message", function()
    writer:send_all { "A", "B" }
    local list = slot:read_all { meta = true }
    assert.equal(2, #list)
    for i, data in ipairs { "A", "B" } do
      assert.equal(data, list[i].data)
      assert.equal(i, list[i].seq)
      assert.equal(require("luv").os_getpid(), list[i].pid)
      assert.is_number(list[i].time)
    end
  end)

  it("returns 100 000 messages in order", function()
    local list = {}
    for i = 1, 100000 do
      list[i] = ("%064d"):format(i)
    end
    assert.equal(100000, writer:send_all(list))
    local result = slot:read_all()
    assert.equal(100000, #result)
    for i = 1, 100000 do
      assert(result[i] == list[i], "a message is wrong")
    end
  end)

  it("returns what is sound before damage, and then says so", function()
    writer:send_all { "sound", "sound too", "damaged" }
    local file = assert(io.open(support.directory() .. "/mailslot.jobs", "r+b"))
    local content = assert(file:read(8192))
    local start = content:find("damaged", 4097, true) - 1
    file:seek("set", start - 24)
    file:write(("\xff"):rep(24))
    file:close()
    assert.same({ "sound", "sound too" }, slot:read_all())
    local list, text, code = slot:read_all()
    assert.is_nil(list)
    assert.matches("^mailslot 'jobs': %w", text)
    assert.equal("EBADMSG", code)
  end)

  for what, argument in pairs {
    ["a negative timeout"] = -1,
    ["a string"] = "1",
    ["max of 0"] = { max = 0 },
    ["a fractional max"] = { max = 1.5 },
    ["a max that is a string"] = { max = "1" },
    ["an infinite max"] = { max = math.huge },
    ["a meta that is no boolean"] = { meta = "yes" },
    ["an unknown option"] = { maximum = 1 },
  } do
    it("raises for " .. what .. " and reads nothing", function()
      writer:send("hello")
      assert.error_matches(function()
        slot:read_all(argument)
      end, "bad argument #1 to 'read_all'")
      assert.equal(1, #slot)
    end)
  end
end)
