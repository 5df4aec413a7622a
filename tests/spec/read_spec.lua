-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

-- Sends a message 0.3 s after this process has begun to sleep, as it does in a wait.
local SEND_LATER = ([[
  print("ready")
  io.read()
  local function state()
    local file <close> = assert(io.open("/proc/%d/stat"))
    return file:read("a"):match("%%) (%%a)")
  end
  repeat until state() == "S"
  require("luv").sleep(300)
  assert(mailslot.send("jobs", "late"))
]]):format(require("luv").os_getpid())

describe("slot:read", function()
  local slot

  before_each(function()
    support.enter()
    slot = assert(mailslot.create("jobs"))
  end)

  after_each(function()
    slot:close()
    support.leave()
  end)

  local function send(...)
    for _, message in ipairs { ... } do
      assert(mailslot.send("jobs", message))
    end
  end

  local function send_later()
    local child = support.lua(SEND_LATER)
    child:expect("ready")
    child:write("go\n")
    return child
  end

  it("case 46: returns one message a call, in order", function()
    send("A", "B", "C")
    assert.equal("A", slot:read())
    assert.equal("B", slot:read())
    assert.equal("C", slot:read())
  end)

  it("returns exactly one value", function()
    send("A", "B")
    assert.equal(1, select("#", slot:read()))
    assert.equal(1, select("#", slot:read { meta = true }))
  end)

  it("case 47: says at once that nothing is there, unlike an empty message", function()
    for _, argument in ipairs { 0, { timeout = 0 } } do
      local seconds, message, text, code = support.time(slot.read, slot, argument)
      assert.is_nil(message)
      assert.matches("^mailslot 'jobs': %w", text)
      assert.equal("EAGAIN", code)
      assert.is_true(seconds < 5)
    end
  end)

  it("case 48: waits for its timeout", function()
    for _, argument in ipairs { 0.3, { timeout = 0.3 } } do
      local seconds, message, text, code = support.time(slot.read, slot, argument)
      assert.is_nil(message)
      assert.matches("^mailslot 'jobs': %w", text)
      assert.equal("ETIMEDOUT", code)
      assert.is_true(seconds >= 0.3 and seconds < 5, "waited " .. seconds)
    end
  end)

  it("waits for a timeout above a second to its end", function()
    local seconds, message, _, code = support.time(slot.read, slot, 1.25)
    assert.is_nil(message)
    assert.equal("ETIMEDOUT", code)
    assert.is_true(seconds >= 1.25 and seconds < 6, "waited " .. seconds)
  end)

  it("case 49: for ever returns a message when it comes", function()
    local child = send_later()
    local seconds, message = support.time(slot.read, slot, math.huge)
    assert.equal("late", message)
    assert.is_true(seconds >= 0.3 and seconds < 10, "waited " .. seconds)
    child:succeed()
  end)

  it("case 50: with a timeout returns a message when it comes", function()
    local child = send_later()
    local seconds, message = support.time(slot.read, slot, support.DEADLINE)
    assert.equal("late", message)
    assert.is_true(seconds >= 0.3 and seconds < 10, "waited " .. seconds)
    child:succeed()
  end)

  it("case 51: does not wait when a message is there", function()
    for _, timeout in ipairs { 0, 60, math.huge } do
      send("here")
      local seconds, message = support.time(slot.read, slot, timeout)
      assert.equal("here", message)
      assert.is_true(seconds < 5)
    end
  end)

  it("case 56: returns an empty message and removes it", function()
    send("", "after")
    assert.equal("", slot:read())
    assert.equal("after", slot:read())
    assert.is_nil(slot:read())
  end)

  it("without an argument waits as long as the slot says", function()
    slot:settimeout(0.3)
    for _, argument in ipairs { false, {}, { meta = true } } do
      local seconds, _, _, code = support.time(slot.read, slot, argument or nil)
      assert.equal("ETIMEDOUT", code)
      assert.is_true(seconds >= 0.3 and seconds < 5, "waited " .. seconds)
    end
    assert.equal("EAGAIN", select(3, slot:read(0)))
    slot:settimeout(0)
    assert.equal("EAGAIN", select(3, slot:read()))
  end)

  it("with meta tells who sent the message, and when", function()
    local uv = require "luv"
    local before = os.time()
    local child = support.lua([[ assert(mailslot.send("jobs", "hello")) ]])
    child:succeed()
    send("again")
    local first, second = slot:read { meta = true }, slot:read { meta = true, timeout = 0 }
    assert.equal("hello", first.data)
    assert.equal(child.pid, first.pid)
    assert.equal(uv.getuid(), first.uid)
    assert.equal(uv.getgid(), first.gid)
    assert.equal(1, first.seq)
    assert.equal("float", math.type(first.time))
    assert.is_true(first.time >= before - 1 and first.time <= os.time() + 1)
    assert.is_nil(first.host)
    assert.equal("again", second.data)
    assert.equal(uv.os_getpid(), second.pid)
    assert.equal(2, second.seq)
    assert.is_true(second.time >= first.time)
  end)

  it("with meta = false returns the message alone", function()
    send("hello")
    assert.equal("hello", slot:read { meta = false })
  end)

  for what, argument in pairs {
    ["a negative timeout"] = -1,
    ["a timeout of NaN"] = 0 / 0,
    ["a timeout beyond the range"] = 4294967.295,
    ["a string"] = "1",
    ["a boolean"] = true,
    ["a negative timeout in a table"] = { timeout = -1 },
    ["a string in a table"] = { timeout = "1" },
    ["a meta that is no boolean"] = { meta = 1 },
    ["an unknown option"] = { max = 1 },
    ["an option without a name"] = { 0 },
  } do
    it("raises for " .. what .. " and reads nothing", function()
      send("hello")
      assert.error_matches(function()
        slot:read(argument)
      end, "^bad argument #1 to 'read'")
      assert.equal(1, #slot)
    end)
  end

  it("raises when its options close the slot", function()
    send("hello")
    assert.error_matches(function()
      slot:read(setmetatable({}, { __index = function() slot:close() end }))
    end, "attempt to use a closed slot")
  end)

  it("says that the slot is damaged, again and again", function()
    send("hello")
    local file = assert(io.open(support.directory() .. "/mailslot.jobs", "r+b"))
    file:seek("set", 4096)
    file:write(("\xff"):rep(64))
    file:close()
    for _ = 1, 2 do
      local message, text, code = slot:read()
      assert.is_nil(message)
      assert.matches("^mailslot 'jobs': %w", text)
      assert.equal("EBADMSG", code)
      assert.equal("EBADMSG", select(3, slot:read_all()))
    end
    assert.error_matches(function()
      slot:messages()()
    end, "mailslot 'jobs': %w")
  end)
end)
