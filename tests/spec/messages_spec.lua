-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

describe("slot:messages", function()
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

  local function collect(argument)
    local list = {}
    for message in slot:messages(argument) do
      list[#list + 1] = message
    end
    return list
  end

  it("yields messages in order, and ends when none is there", function()
    writer:send_all { "A", "", "C" }
    assert.same({ "A", "", "C" }, collect())
    assert.same({}, collect())
    assert.same({}, collect(0))
  end)

  it("yields what is sent during the loop", function()
    writer:send("1")
    local list = {}
    for message in slot:messages() do
      list[#list + 1] = message
      if #list < 5 then
        writer:send(#list + 1)
      end
    end
    assert.same({ "1", "2", "3", "4", "5" }, list)
  end)

  it("keeps what a loop that is left has not reached", function()
    writer:send_all { "A", "B", "C" }
    for message in slot:messages() do
      if message == "A" then
        break
      end
    end
    assert.same({ "B", "C" }, slot:read_all())
  end)

  it("waits for each message, and ends when none came in time", function()
    writer:send("A")
    for _, argument in ipairs { 0.3, { timeout = 0.3 } } do
      local seconds = support.time(collect, argument)
      assert.is_true(seconds >= 0.3 and seconds < 5, "waited " .. seconds)
    end
  end)

  it("without an argument waits as long as the slot says at that moment", function()
    local next_message = slot:messages()
    assert.is_nil(next_message())
    slot:settimeout(0.3)
    local seconds = support.time(next_message)
    assert.is_true(seconds >= 0.3 and seconds < 5, "waited " .. seconds)
  end)

  it("for ever yields each message when it comes", function()
    local child = support.lua([[
      local writer <close> = mailslot.open("jobs")
      for line in io.lines() do
        writer:send(line)
      end
    ]])
    child:write("1\n")
    local list = {}
    for message in slot:messages(math.huge) do
      list[#list + 1] = message
      if #list == 5 then
        break
      end
      child:write(#list + 1 .. "\n")
    end
    child:succeed()
    assert.same({ "1", "2", "3", "4", "5" }, list)
  end)

  it("with meta yields tables", function()
    writer:send_all { "A", "B" }
    local list = collect { meta = true }
    assert.equal("A", list[1].data)
    assert.equal("B", list[2].data)
    assert.equal(2, list[2].seq)
  end)

  it("yields one value at a time, also outside of a loop", function()
    writer:send("A")
    local next_message = slot:messages(0)
    assert.equal(1, select("#", next_message()))
    assert.equal(1, select("#", next_message()))
  end)

  it("raises once the slot is closed", function()
    local next_message = slot:messages(0)
    slot:close()
    assert.error_matches(next_message, "attempt to use a closed slot")
    assert.error_matches(function()
      slot:messages()
    end, "attempt to use a closed slot")
  end)

  for what, argument in pairs {
    ["a negative timeout"] = -1,
    ["a string"] = "1",
    ["an unknown option"] = { max = 1 },
    ["a meta that is no boolean"] = { meta = 0 },
  } do
    it("raises at once for " .. what, function()
      assert.error_matches(function()
        slot:messages(argument)
      end, "bad argument #1 to 'messages'")
    end)
  end
end)
