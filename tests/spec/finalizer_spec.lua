-- SPDX-License-Identifier: MIT
-- Finalizers may run in the middle of any call that allocates, and may use the same slot.
local support = require "tests.spec.support"

describe("a finalizer that runs during", function()
  before_each(support.enter)
  after_each(support.leave)

  -- Runs code in a new Lua, where finalizers run at about the same points each time. `arm(f)`
  -- makes garbage whose finalizer calls f, and makes new garbage if f returns true.
  local function run(code)
    local child = support.lua([[
      warn("@on")
      collectgarbage("incremental", 110, 1000)
      function arm(f)
        setmetatable({}, { __gc = function()
          if f() then arm(f) end
        end })
      end
      slot = assert(mailslot.create("jobs"))
      writer = assert(mailslot.open("jobs"))
      count = 2000
      for i = 1, count do
        writer:send(("%05d"):format(i):rep(400))
      end
      seen, total, stolen = {}, 0, 0
      function note(message)
        assert(not seen[message], "a message was read twice")
        seen[message] = true
        total = total + 1
      end
    ]] .. code .. [[
      slot:close()
    ]])
    child:succeed()
    assert.equal("", child.err)
  end

  it("read may read: every message is read once", function()
    run [[
      arm(function()
        local message = mailslot.type(slot) == "slot" and slot:read(0)
        if message then
          note(message)
          stolen = stolen + 1
        end
        return message
      end)
      for message in slot:messages(0) do
        note(message)
      end
      assert(total == count, total)
      assert(stolen > 0)
    ]]
  end)

  it("read_all may read: every message is read once", function()
    run [[
      arm(function()
        for _, message in ipairs(slot:read_all { timeout = 0, max = 1 }) do
          note(message)
          stolen = stolen + 1
        end
        return stolen < 5
      end)
      repeat
        local list = slot:read_all(0)
        for _, message in ipairs(list) do
          note(message)
        end
      until #list == 0
      assert(total == count, total)
      assert(stolen > 0)
    ]]
  end)

  it("read_all may fail to read: nothing is lost", function()
    run [[
      local trouble = require "trouble"
      arm(function()
        local enough = trouble.starve(1, slot.read_all, slot)
        stolen = stolen + (enough and 0 or 1)
        return stolen < 5
      end)
      local list = slot:read_all(0)
      assert(#list == count, #list)
      assert(stolen > 0)
    ]]
  end)

  it("read_all may send: read_all ends, and the rest is read later", function()
    run [[
      local late = 0
      arm(function()
        if mailslot.type(writer) == "writer" then
          assert(writer:send("late"))
          late = late + 1
          return true
        end
      end)
      local list = slot:read_all()
      assert(late > 0)
      writer:close()
      assert(#list == count, #list)
      assert(#slot:read_all() == late)
    ]]
  end)

  it("read_all may close the slot", function()
    run [[
      arm(function()
        slot:close()
        stolen = 1
      end)
      local alive, message = pcall(slot.read_all, slot)
      assert(stolen == 1)
      assert(not alive and message == "attempt to use a closed slot", message)
    ]]
  end)

  it("read may close the slot", function()
    run [[
      arm(function()
        slot:close()
        stolen = 1
      end)
      local alive, message
      repeat
        alive, message = pcall(slot.read, slot, 0)
      until not alive or not message
      assert(stolen == 1)
      assert(not alive and message == "attempt to use a closed slot", message)
    ]]
  end)

  -- Small messages: now the tables are what makes the finalizer run.
  it("read with meta may close the slot, at whatever allocation", function()
    run [[
      for trial = 1, 200 do
        local small <close> = assert(mailslot.create("small"))
        local sender <close> = assert(mailslot.open("small"))
        for i = 1, 500 do
          assert(sender:send("x"))
        end
        arm(function()
          small:close()
        end)
        local alive, message
        repeat
          alive, message = pcall(small.read, small, { meta = true })
          assert(not alive or message.data == "x")
        until not alive
        assert(message == "attempt to use a closed slot", message)
      end
    ]]
  end)

  it("send_all may not free what is being sent", function()
    run [[
      slot:read_all()
      local list = setmetatable({}, {
        __len = function() return 1000 end,
        __index = function(_, i) return ("%05d"):format(i):rep(1000) end,
      })
      assert(writer:send_all(list) == 1000)
      for i, message in ipairs(slot:read_all()) do
        assert(message == list[i], i)
      end
    ]]
  end)

  it("send_all may empty the list and close the writer", function()
    run [[
      local list = {}
      for i = 1, 1000 do
        list[i] = i
      end
      arm(function()
        for i = 1, 1000 do
          list[i] = nil
        end
        writer:close()
        stolen = 1
      end)
      assert(not pcall(function()
        for _ = 1, 1000 do
          writer:send_all(list)
        end
      end))
      assert(stolen == 1)
    ]]
  end)
end)
