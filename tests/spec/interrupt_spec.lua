-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

-- How soon Ctrl-C has to work, in seconds.
local SOON = 15

describe("Ctrl-C", function()
  before_each(support.enter)
  after_each(support.leave)

  local OWNER = [[ slot = assert(mailslot.create("jobs", { timeout = math.huge })) ]]
  local SENDER = [[
    slot = assert(mailslot.create("jobs", { max_bytes = 4096 }))
    writer = assert(mailslot.open("jobs"))
    message = ("x"):rep(500)
    while writer:send(message) do end
  ]]
  local waits = {
    ["slot:read"] = OWNER .. [[ f = function() return slot:read(math.huge) end ]],
    ["slot:read without an argument"] = OWNER .. [[ f = function() return slot:read() end ]],
    ["slot:read with a timeout"] = OWNER .. [[ f = function() return slot:read(60) end ]],
    ["slot:read_all"] = OWNER .. [[ f = function() return slot:read_all(math.huge) end ]],
    ["slot:messages"] = OWNER .. [[ f = function() return slot:messages(math.huge)() end ]],
    ["slot:wait"] = OWNER .. [[ f = function() return slot:wait(math.huge) end ]],
    ["writer:send"] = SENDER .. [[ f = function() return writer:send(message, 60) end ]],
    ["writer:send for ever"] = SENDER .. [[
      f = function() return writer:send(message, math.huge) end
    ]],
    ["writer:send_all"] = SENDER .. [[
      f = function() return writer:send_all({ message, message }, math.huge) end
    ]],
    ["mailslot.send"] = SENDER .. [[
      f = function() return mailslot.send("jobs", message, math.huge) end
    ]],
  }

  local function wait_and_interrupt(code)
    local child = support.lua(code)
    child:expect("ready")
    child:await_sleep()
    child:kill("sigint")
    return child
  end

  for name, code in pairs(waits) do
    it("ends " .. name .. " with an error, and the name is free", function()
      local child = wait_and_interrupt(code .. [[ print("ready") f() ]])
      local status, signal = child:finish(SOON)
      assert.equal(1, status)
      assert.equal(0, signal)
      assert.matches("interrupted!", child.err)
      assert.same({}, support.files())
    end)

    it("in " .. name .. " takes nothing from the slot, and it goes on", function()
      local child = wait_and_interrupt(code .. [[
        print("ready")
        local before = #slot
        local alive, message = pcall(f)
        assert(not alive and message == "interrupted!", message)
        assert(#slot == before)
        slot:read_all(0)
        assert(mailslot.send("jobs", "hello"))
        assert(slot:read(0) == "hello")
        print("done")
        slot:close()
      ]])
      child:expect("done", SOON)
      child:succeed(SOON)
    end)
  end
end)

describe("a signal that means nothing", function()
  before_each(support.enter)
  after_each(support.leave)

  -- A child that waits in f, with a hook that counts how often Lua had its turn meanwhile.
  local function start(code)
    local child = support.lua([[
      local trouble = require "trouble"
      local uv = require "luv"
      trouble.interrupt()
      slot = assert(mailslot.create("jobs", { max_bytes = 4096 }))
      writer = assert(mailslot.open("jobs"))
      message = ("x"):rep(500)
      function measure(f, ...)
        local turns = 0
        print("ready")
        local start = uv.hrtime()
        debug.sethook(function() turns = turns + 1 end, "c")
        local results = table.pack(f(...))
        debug.sethook()
        local seconds = (uv.hrtime() - start) / 1e9
        print(seconds, turns, results[1], results[3])
      end
    ]] .. code .. [[ slot:close() ]])
    child:expect("ready")
    return child
  end

  -- Signals until the child says something.
  local function disturb(child)
    local count = 0
    support.await(function()
      if #child.out > 0 then
        return true
      end
      count = count + 1
      child:kill("sigusr1")
    end, "the end of the wait")
    local seconds, turns, result, code =
      child:line():match("^(%S+)\t(%S+)\t(%S+)\t(%S+)$")
    assert.is_true(count > 10)
    return tonumber(seconds), tonumber(turns), result, code
  end

  for name, code in pairs {
    ["slot:read"] = [[ measure(slot.read, slot, 1.2) ]],
    ["slot:wait"] = [[ measure(slot.wait, slot, 1.2) ]],
    ["writer:send"] = [[
      while writer:send(message) do end
      measure(writer.send, writer, message, 1.2)
    ]],
    ["writer:send_all"] = [[
      while writer:send(message) do end
      measure(writer.send_all, writer, { message }, 1.2)
    ]],
    ["mailslot.send"] = [[
      while writer:send(message) do end
      measure(mailslot.send, "jobs", message, 1.2)
    ]],
  } do
    it("neither ends " .. name .. " nor prolongs it", function()
      local child = start(code)
      local seconds, turns, result, symbol = disturb(child)
      assert.equal("nil", result)
      assert.equal("ETIMEDOUT", symbol)
      assert.is_true(seconds >= 1.2 and seconds < 5, "waited " .. seconds)
      assert.is_true(turns > 10, turns .. " turns")
      child:succeed()
    end)
  end

  it("does not keep a message from being read", function()
    local child = start([[ measure(slot.read, slot, math.huge) ]])
    for _ = 1, 50 do
      child:kill("sigusr1")
    end
    child:await_sleep()
    assert(mailslot.send("jobs", "hello"))
    assert.equal("hello", select(3, child:line():match("^(%S+)\t(%S+)\t(%S+)")))
    child:succeed()
  end)

  it("may come just before the wait: a hook has its turn within seconds", function()
    local slot <close> = assert(mailslot.create("jobs"))
    local seconds = support.time(function()
      local calls = 0
      assert.error_matches(function()
        debug.sethook(function()
          calls = calls + 1
          if calls == 2 then
            debug.sethook()
            error("the hook's turn")
          end
        end, "c")
        slot:read(60)
      end, "the hook's turn")
    end)
    assert.is_true(seconds < 10, "waited " .. seconds)
  end)

  it("whose hook takes longer than the wait does not hide that the time is over", function()
    local slot <close> = assert(mailslot.create("jobs"))
    local calls = 0
    debug.sethook(function()
      calls = calls + 1
      if calls == 2 then
        debug.sethook()
        require("luv").sleep(200)
      end
    end, "c")
    local message, _, code = slot:read(1.1)
    debug.sethook()
    assert.equal(2, calls)
    assert.is_nil(message)
    assert.equal("ETIMEDOUT", code)
  end)

  it("whose hook closes the slot ends the wait with an error", function()
    local slot = assert(mailslot.create("jobs"))
    assert.error_matches(function()
      local calls = 0
      debug.sethook(function()
        calls = calls + 1
        if calls == 2 then
          debug.sethook()
          slot:close()
        end
      end, "c")
      slot:read(60)
    end, "attempt to use a closed slot")
  end)
end)
