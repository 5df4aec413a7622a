-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

describe("a handle", function()
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

  it("says what it is, and of which slot", function()
    assert.equal("mailslot (jobs)", tostring(slot))
    assert.equal("mailslot writer (jobs)", tostring(writer))
    slot:close()
    writer:close()
    assert.equal("mailslot (closed)", tostring(slot))
    assert.equal("mailslot writer (closed)", tostring(writer))
  end)

  it("has a type", function()
    assert.equal("slot", mailslot.type(slot))
    assert.equal("writer", mailslot.type(writer))
    slot:close()
    writer:close()
    assert.equal("closed slot", mailslot.type(slot))
    assert.equal("closed writer", mailslot.type(writer))
    for _, value in ipairs { 1, "slot", {}, print, io.stdout, false } do
      assert.is_nil(mailslot.type(value))
    end
    assert.is_nil(mailslot.type(nil))
    assert.error_matches(function()
      mailslot.type()
    end, "value expected")
  end)

  it("has the names of its kind", function()
    assert.equal("mailslot", getmetatable(slot).__name)
    assert.equal("mailslot writer", getmetatable(writer).__name)
  end)

  it("raises for each use once it is closed", function()
    slot:close()
    writer:close()
    for _, use in ipairs {
      function() slot:read() end,
      function() slot:read(1) end,
      function() slot:read_all() end,
      function() mailslot.read_all(slot) end,
      function() slot:messages() end,
      function() slot:wait() end,
      function() slot:info() end,
      function() mailslot.info(slot) end,
      function() slot:settimeout(1) end,
      function() slot:gettimeout() end,
      function() return #slot end,
    } do
      assert.error_matches(use, "attempt to use a closed slot")
    end
    for _, use in ipairs {
      function() writer:send("hello") end,
      function() writer:send_all {} end,
      function() writer:send_all { "hello" } end,
      function() writer:info() end,
      function() mailslot.info(writer) end,
    } do
      assert.error_matches(use, "attempt to use a closed writer")
    end
  end)

  it("case 95: may be closed again, in every way", function()
    for _, handle in ipairs { slot, writer } do
      local metatable = getmetatable(handle)
      assert.is_true(handle:close())
      assert.is_true(handle:close())
      metatable.__close(handle)
      metatable.__gc(handle)
      local again <close> = handle
      assert.matches("^closed ", mailslot.type(again))
    end
  end)

  it("case 95: closes when its variable goes out of scope, also by an error", function()
    slot:close()
    writer:close()
    for _ = 1, 3 do
      local alive, message = pcall(function()
        local owner <close> = assert(mailslot.create("jobs"))
        local sender <close> = assert(mailslot.open("jobs"))
        assert(sender:send("hello"))
        assert.equal(1, #owner)
        error("on purpose", 0)
      end)
      assert.is_false(alive)
      assert.equal("on purpose", message)
      assert.same({}, support.files())
    end
  end)

  it("case 95: closes when it is garbage, which frees the name", function()
    slot:close()
    writer:close()
    for _ = 1, 3 do
      assert(mailslot.create("jobs"))
      assert(mailslot.open("jobs"))
      collectgarbage()
      assert.same({}, support.files())
    end
  end)

  it("stays open while its iterator is in use", function()
    writer:send_all { "A", "B" }
    local list = {}
    for message in assert(mailslot.create("others")):messages(0) do
      list[#list + 1] = message
    end
    local next_message
    do
      local other = assert(mailslot.create("others2"))
      mailslot.send("others2", "hello")
      next_message = other:messages(0)
    end
    collectgarbage()
    assert.equal("hello", next_message())
    assert.same({}, list)
  end)

  it("is not to be had by a trick", function()
    for _, fake in ipairs { setmetatable({}, getmetatable(slot)), io.stdout, {}, "jobs", 1 } do
      for name, method in pairs(getmetatable(slot).__index) do
        if name ~= "info" then
          assert.error_matches(function()
            method(fake)
          end, "bad argument #1 .*mailslot expected")
        end
      end
      for name, method in pairs(getmetatable(writer).__index) do
        if name ~= "info" then
          assert.error_matches(function()
            method(fake, name == "send_all" and {} or "hello")
          end, "bad argument #1 .*mailslot writer expected")
        end
      end
      for _, name in ipairs { "__gc", "__close", "__len" } do
        assert.error_matches(function()
          getmetatable(slot)[name](fake)
        end, "mailslot expected")
      end
    end
    assert.equal("slot", mailslot.type(slot))
  end)

  it("of the module has exactly the documented methods", function()
    local function names(of)
      local list = {}
      for name in pairs(of) do
        list[#list + 1] = name
      end
      table.sort(list)
      return table.concat(list, " ")
    end
    assert.equal("_VERSION create info open read_all send type", names(mailslot))
    assert.equal("close dirty events getfd gettimeout info messages pollfd read read_all "
      .. "settimeout timeout wait",
      names(getmetatable(slot).__index))
    assert.equal("close info send send_all", names(getmetatable(writer).__index))
  end)
end)

describe("the module", function()
  before_each(support.enter)
  after_each(support.leave)

  it("tells its version", function()
    assert.matches("^mailslot %d+%.%d+%.%d+$", mailslot._VERSION)
  end)

  it("may be loaded again, and sets no global", function()
    local child = support.lua([[
      local before = {}
      for name in pairs(_G) do
        before[name] = true
      end
      local slot = assert(mailslot.create("jobs"))
      package.loaded.mailslot = nil
      local again = require "mailslot"
      assert(again ~= mailslot)
      assert(again.type(slot) == "slot")
      assert(again.send("jobs", "hello"))
      assert(slot:read() == "hello")
      for name in pairs(_G) do
        assert(before[name], name)
      end
    ]])
    child:succeed()
  end)

  it("reads well in assert", function()
    assert.error_matches(function()
      assert(mailslot.open("nobody"))
    end, "mailslot 'nobody': no process owns this slot$")
  end)
end)
