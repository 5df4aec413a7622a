-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

local OWNER = [[
  slot = assert(mailslot.create("jobs"))
  print("ready")
  io.read()
]]

describe("the life of a slot", function()
  before_each(support.enter)
  after_each(support.leave)

  local function owner(code)
    local child = support.lua(OWNER .. (code or ""))
    child:expect("ready")
    return child
  end

  -- Cases 80 to 85, after the owner has gone.
  local function assert_gone(writer)
    local sent, text, code = writer:send("hello")
    assert.is_nil(sent)
    assert.matches("^mailslot 'jobs': %w", text)
    assert.equal("EPIPE", code)
    assert.equal("ENOENT", select(3, mailslot.open("jobs")))
    assert.equal("ENOENT", select(3, mailslot.send("jobs", "hello")))
    assert.same({}, support.files())
    local slot <close> = assert(mailslot.create("jobs"))
    assert.equal(0, #slot)
    assert.equal("EPIPE", select(3, writer:send("hello")))
    assert.equal("EPIPE", select(3, writer:send_all { "hello" }))
    local again <close> = assert(mailslot.open("jobs"))
    assert.is_true(again:send("anew"))
    assert.equal("anew", slot:read())
    writer:close()
  end

  it("case 80 to 85: ends when the owner closes it", function()
    local slot = assert(mailslot.create("jobs"))
    local writer = assert(mailslot.open("jobs"))
    writer:send_all { "unread", "unread" }
    slot:close()
    assert_gone(writer)
  end)

  it("case 86: keeps what a sender sent that was closed", function()
    local slot <close> = assert(mailslot.create("jobs"))
    local writer = assert(mailslot.open("jobs"))
    writer:send("hello")
    writer:close()
    assert.equal("hello", slot:read())
  end)

  for how, code in pairs {
    exits = [[ os.exit(0) ]],
    ["exits with an error"] = [[ os.exit(1, false) ]],
    ["is killed"] = [[ print("sent") io.read() ]],
  } do
    it("case 86: keeps what a sender sent that " .. how, function()
      local slot <close> = assert(mailslot.create("jobs"))
      local child = support.lua([[
        writer = assert(mailslot.open("jobs"))
        assert(writer:send("hello"))
      ]] .. code)
      if how == "is killed" then
        child:expect("sent")
        child:kill("sigkill")
      end
      child:finish()
      assert.same({ "hello" }, slot:read_all())
    end)
  end

  it("case 88: ends when the owner's Lua ends", function()
    local child = owner()
    local writer = assert(mailslot.open("jobs"))
    writer:send("unread")
    child:succeed()
    assert.same({}, support.files())
    assert_gone(writer)
  end)

  it("case 88: ends when the owner exits without closing", function()
    local child = owner([[ os.exit(0, false) ]])
    local writer = assert(mailslot.open("jobs"))
    child:write("go\n")
    child:succeed()
    assert_gone(writer)
  end)

  it("case 89: ends when the owner is killed, by whatever signal", function()
    for _, signal in ipairs { "sigkill", "sigterm", "sigsegv" } do
      local child = owner()
      local writer = assert(mailslot.open("jobs"))
      writer:send("unread")
      child:kill(signal)
      child:finish()
      assert_gone(writer)
    end
  end)

  it("case 89: of a killed owner leaves nothing in the way of the next", function()
    local child = owner()
    child:kill("sigkill")
    child:finish()
    assert.same({ "mailslot.jobs" }, support.files())
    local slot <close> = assert(mailslot.create("jobs"))
    assert.equal(0, #slot)
  end)

  it("a dead slot is swept away by the next create of any name", function()
    local child = owner()
    child:kill("sigkill")
    child:finish()
    local slot <close> = assert(mailslot.create("others"))
    assert.same({ "mailslot.others" }, support.files())
    assert.equal(0, #slot)
  end)

  it("case 93: is not held by a program that the owner starts", function()
    local slot = assert(mailslot.create("jobs"))
    local writer <close> = assert(mailslot.open("jobs"))
    local child = support.lua([[
      local listing <close> = assert(io.popen("ls -l /proc/$PPID/fd; cat /proc/$PPID/maps"))
      local text = listing:read("a")
      assert(text:find("pipe") or text:find("socket"))
      assert(not text:find("mailslot%.jobs"))
      print("ready")
      io.read()
    ]])
    child:expect("ready")
    slot:close()
    local again <close> = assert(mailslot.create("jobs"))
    assert.equal("EPIPE", select(3, writer:send("hello")))
    child:succeed()
    assert.equal(0, #again)
  end)

  it("case 94: is out of reach for a forked child, and lives on when that ends", function()
    local child = support.lua([[
      local trouble = require "trouble"
      local slot = assert(mailslot.create("jobs"))
      local writer = assert(mailslot.open("jobs"))
      assert(writer:send("hello"))
      if trouble.fork() == 0 then
        for _, use in ipairs {
          function() return slot:read() end,
          function() return slot:read_all() end,
          function() return slot:wait(math.huge) end,
          function() return slot:info() end,
          function() return slot:settimeout(1) end,
          function() return slot:gettimeout() end,
          function() return writer:send("from the child") end,
          function() return writer:send_all { "from the child" } end,
          function() return writer:info() end,
        } do
          local result, text, code = use()
          assert(not result and code == "EBADF", code)
          assert(text:find("^mailslot 'jobs': %w"), text)
        end
        local alive, text = pcall(function() return #slot end)
        assert(not alive and text:find("mailslot 'jobs': %w"))
        alive, text = pcall(slot:messages())
        assert(not alive and text:find("mailslot 'jobs': %w"))
        assert(mailslot.send("jobs", "from a child that opened it"))
        slot:close()
        os.exit(0, true)
      end
      assert(trouble.wait() == 0)
      assert(writer:send("still here"))
      local list = slot:read_all()
      assert(table.concat(list, "|") == "hello|from a child that opened it|still here")
    ]])
    child:succeed()
    assert.equal("", child.err)
    assert.same({}, support.files())
  end)

  it("case 96: ends with the Lua state, for all slots", function()
    local child = support.lua([[
      slots = {}
      for i = 1, 20 do
        slots[i] = assert(mailslot.create("jobs" .. i))
        slots[-i] = assert(mailslot.open("jobs" .. i))
      end
    ]])
    child:succeed()
    assert.same({}, support.files())
  end)

  it("case 96: ends when an error ends the program", function()
    local child = support.lua([[
      slot = assert(mailslot.create("jobs"))
      error("on purpose")
    ]])
    assert.equal(1, child:finish())
    assert.matches("on purpose", child.err)
    assert.same({}, support.files())
  end)
end)

describe("500 slots", function()
  before_each(support.enter)
  after_each(support.leave)

  local function serve(i)
    local slot = assert(mailslot.create("jobs" .. i))
    local writer <close> = assert(mailslot.open("jobs" .. i))
    assert(writer:send_all { "A", "B" } == 2)
    assert(slot:read() == "A")
    return slot
  end

  local function count_all()
    collectgarbage()
    local count, mapped = support.mappings()
    return count, mapped, support.descriptors(), #support.files()
  end

  local function assert_same_as(before_count, ...)
    local after = { count_all() }
    assert.is_true(math.abs(table.remove(after, 1) - before_count) < 50)
    assert.same({ ... }, after)
  end

  it("one after the other leave no descriptor, mapping or file", function()
    serve(0):close()
    local before = table.pack(count_all())
    for i = 1, 500 do
      serve(i):close()
    end
    assert_same_as(table.unpack(before))
  end)

  it("that are not closed leave nothing once they are garbage", function()
    serve(0):close()
    local before = table.pack(count_all())
    for i = 1, 500 do
      serve(i)
    end
    assert_same_as(table.unpack(before))
  end)

  it("at once work, and leave nothing once they are closed", function()
    serve(0):close()
    local before = table.pack(count_all())
    local slots = {}
    for i = 1, 500 do
      slots[i] = serve(i)
    end
    for i = 1, 500 do
      assert.is_true(mailslot.send("jobs" .. i, "C"))
      assert.same({ "B", "C" }, slots[i]:read_all())
      slots[i]:close()
    end
    assert_same_as(table.unpack(before))
  end)
end)
