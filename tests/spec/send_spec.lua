-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

describe("sending", function()
  local slot, writer

  before_each(function()
    support.enter()
    slot = assert(mailslot.create("jobs", { max_message_size = 1000, max_bytes = 4096 }))
    writer = assert(mailslot.open("jobs"))
  end)

  after_each(function()
    slot:close()
    writer:close()
    support.leave()
  end)

  local function fill()
    local count = 0
    while writer:send(("x"):rep(500)) do
      count = count + 1
    end
    return count
  end

  it("case 24: fails for a slot that nobody owns, and does not create it", function()
    for _, call in ipairs { mailslot.open, mailslot.send } do
      local result, message, code = call("nobody", "hello")
      assert.is_nil(result)
      assert.equal("mailslot 'nobody': no process owns this slot", message)
      assert.equal("ENOENT", code)
    end
    assert.same({ "mailslot.jobs" }, support.files())
  end)

  it("case 25: serves 200 writers", function()
    local writers = {}
    for i = 1, 200 do
      writers[i] = assert(mailslot.open("jobs"))
    end
    for i = 1, 200 do
      assert.is_true(writers[i]:send(tostring(i)))
      assert.equal(tostring(i), slot:read())
      writers[i]:close()
    end
  end)

  it("case 26: works in the process that owns the slot", function()
    assert.is_true(writer:send("hello"))
    assert.equal("hello", slot:read())
  end)

  it("case 29: takes an empty message for a message", function()
    assert.is_true(writer:send(""))
    assert.equal(1, #slot)
    assert.equal("", slot:read())
  end)

  it("case 30: keeps every byte", function()
    local bytes = {}
    for i = 0, 255 do
      bytes[#bytes + 1] = string.char(i)
    end
    local message = table.concat(bytes)
    assert.is_true(writer:send(message))
    assert.equal(message, slot:read())
  end)

  it("case 31: refuses more than the maximum, queues nothing, and goes on", function()
    assert.is_true(writer:send(("x"):rep(1000)))
    local result, message, code = writer:send(("x"):rep(1001))
    assert.is_nil(result)
    assert.matches("^mailslot 'jobs': %w", message)
    assert.equal("EMSGSIZE", code)
    assert.equal(1, #slot)
    assert.is_true(writer:send("x"))
    assert.is_true(writer:send(""))
    assert.equal(3, #slot)
  end)

  it("case 34: carries 64 KiB - 1, 64 KiB, 64 KiB + 1, 1 MiB and 16 MiB", function()
    local large <close> = assert(mailslot.create("large"))
    for _, size in ipairs { 65535, 65536, 65537, 1 << 20, 1 << 24 } do
      local message = ("0123456789abcde"):rep(size // 15 + 1):sub(1, size)
      assert.is_true(mailslot.send("large", message))
      assert.equal(size, large:info().next_size)
      assert.is_true(large:read() == message)
    end
  end)

  it("case 36: fails at once when the slot is full, and the queue is unchanged", function()
    local count = fill()
    assert.is_true(count > 0)
    local seconds, result, message, code = support.time(writer.send, writer, ("x"):rep(500))
    assert.is_nil(result)
    assert.matches("^mailslot 'jobs': %w", message)
    assert.equal("EAGAIN", code)
    assert.is_true(seconds < 5)
    assert.equal(count, #slot)
    assert.equal("EAGAIN", select(3, mailslot.send("jobs", ("x"):rep(500))))
    slot:read_all()
    assert.is_true(writer:send(("x"):rep(500)))
  end)

  it("waits for space as long as it is told", function()
    fill()
    local message = ("x"):rep(500)
    for _, send in ipairs {
      function() return writer:send(message, 0.3) end,
      function() return mailslot.send("jobs", message, 0.3) end,
      function() return writer:send_all({ message }, 0.3) end,
    } do
      local seconds, result, _, code = support.time(send)
      assert.is_nil(result)
      assert.equal("ETIMEDOUT", code)
      assert.is_true(seconds >= 0.3 and seconds < 5, "waited " .. seconds)
    end
  end)

  it("goes on when space comes", function()
    fill()
    local child = support.lua([[
      local writer <close> = mailslot.open("jobs")
      print("ready")
      local message = ("y"):rep(500)
      assert(writer:send(message, math.huge))
      print("sent")
      assert(mailslot.send("jobs", message, math.huge))
      print("sent")
    ]])
    child:expect("ready")
    child:await_sleep()
    slot:read_all()
    child:expect("sent")
    child:expect("sent")
    child:succeed()
    assert.equal(("y"):rep(500), slot:read())
  end)

  it("case 38, 39: has no reading on a writer and no sending on a slot", function()
    assert.is_nil(writer.read)
    assert.is_nil(slot.send)
    assert.error_matches(function()
      slot.read(writer)
    end, "mailslot expected, got mailslot writer")
    assert.error_matches(function()
      writer.send(slot, "hello")
    end, "mailslot writer expected, got mailslot")
    assert.equal(0, #slot)
  end)

  it("case 44: sends a number as its string form", function()
    assert.is_true(writer:send(42))
    assert.is_true(mailslot.send("jobs", 0.5))
    assert.equal(2, writer:send_all { 1, "2" })
    assert.same({ "42", "0.5", "1", "2" }, slot:read_all())
  end)

  it("raises for what is neither a string nor a number", function()
    for _, value in ipairs { {}, true, print, slot } do
      assert.error_matches(function()
        writer:send(value)
      end, "bad argument #1 to 'send' %(string expected")
      assert.error_matches(function()
        mailslot.send("jobs", value)
      end, "bad argument #2 to '[%w.]*send' %(string expected")
    end
    assert.error_matches(function()
      writer:send()
    end, "string expected, got no value")
    assert.equal(0, #slot)
  end)

  it("case 45: by name equals open, send and close", function()
    local open, _, mapped = support.descriptors(), support.mappings()
    for _ = 1, 20 do
      assert.is_true(mailslot.send("jobs", "hello"))
      assert.equal("EMSGSIZE", select(3, mailslot.send("jobs", ("x"):rep(1001))))
      assert.equal("ENOENT", select(3, mailslot.send("nobody", "hello")))
      assert.equal("EINVAL", select(3, mailslot.send("", "hello")))
      assert.equal("EINVAL", select(3, mailslot.send("jobs\0", "hello")))
      assert.equal("ENAMETOOLONG", select(3, mailslot.send(("n"):rep(247), "hello")))
    end
    assert.equal(20, #slot)
    assert.equal(open, support.descriptors())
    assert.equal(mapped, select(2, support.mappings()))
  end)

  it("case 14: says what to start when no gateway serves this machine", function()
    local name = [[\\HOST\mailslot\jobs]]
    for _, call in ipairs { mailslot.open, mailslot.send } do
      local result, message, code = call(name, "hello")
      assert.is_nil(result)
      assert.matches(name, message, 1, true)
      assert.matches("start mailslot-gateway", message, 1, true)
      assert.equal("EHOSTUNREACH", code)
    end
    assert.equal("EOPNOTSUPP", select(3, mailslot.info(name)))
  end)

  it("case 14: hands what is for another machine to the gateway", function()
    local name = [[\\HOST\mailslot\jobs]]
    local outbox <close> = assert(mailslot.create([[gateway\outbox]]))
    assert.is_true(mailslot.send(name, "hello"))
    local sender <close> = assert(mailslot.open(name))
    assert.equal(2, sender:send_all { "how are", "you" })
    assert.equal("EOPNOTSUPP", select(3, sender:info()))
    local sent = outbox:read_all()
    for i, text in ipairs { "hello", "how are", "you" } do
      assert.equal(text, sent[i]:sub(-#text))
      assert.matches("HOST\0.*jobs", sent[i])
    end
  end)

  describe("a list with send_all", function()
    it("queues all of it, in order, and tells how many", function()
      local large <close> = assert(mailslot.create("large"))
      local sender <close> = assert(mailslot.open("large"))
      for _, count in ipairs { 0, 1, 127, 128, 129, 1000 } do
        local list = {}
        for i = 1, count do
          list[i] = "message " .. i
        end
        assert.equal(count, sender:send_all(list))
        assert.same(list, large:read_all())
      end
    end)

    it("tells how many are in the slot when it fails", function()
      local fits = fill()
      slot:read_all()
      local list = {}
      for i = 1, fits + 5 do
        list[i] = ("x"):rep(500)
      end
      local result, message, code, count = writer:send_all(list)
      assert.is_nil(result)
      assert.matches("^mailslot 'jobs': ", message)
      assert.equal("EAGAIN", code)
      assert.equal(fits, count)
      assert.equal(fits, #slot)
    end)

    it("tells how many are in the slot when a later chunk fails", function()
      local list = {}
      for i = 1, 300 do
        list[i] = ""
      end
      writer:send(("x"):rep(1000))
      list[200] = ("x"):rep(1001)
      local wide <close> = assert(mailslot.create("wide", { max_message_size = 1000 }))
      local sender <close> = assert(mailslot.open("wide"))
      local _, _, code, count = sender:send_all(list)
      assert.equal("EMSGSIZE", code)
      assert.equal(199, count)
      assert.equal(199, #wide)
    end)

    it("raises for an element that is no string before anything is sent", function()
      for position, value in pairs { [1] = false, [2] = {}, [150] = print } do
        local list = {}
        for i = 1, 200 do
          list[i] = "message"
        end
        list[position] = value
        assert.error_matches(function()
          writer:send_all(list)
        end, ("message %d must be a string, not %s"):format(position, type(value)))
      end
      assert.error_matches(function()
        writer:send_all("message")
      end, "table expected, got string")
      assert.equal(0, #slot)
    end)

    it("waits for space for all of them together", function()
      local list = {}
      for i = 1, 2000 do
        list[i] = ("%04d"):format(i):rep(100)
      end
      local child = support.lua([[
        local writer <close> = mailslot.open("jobs")
        local list = {}
        for i = 1, 2000 do
          list[i] = ("%04d"):format(i):rep(100)
        end
        print(writer:send_all(list, math.huge))
      ]])
      for i = 1, 2000 do
        assert.equal(list[i], slot:read(support.DEADLINE))
      end
      child:expect("2000")
      child:succeed()
    end)

    it("lets a metatable provide the list", function()
      local list = setmetatable({}, {
        __len = function() return 200 end,
        __index = function(_, i) return "message " .. i end,
      })
      local wide <close> = assert(mailslot.create("wide"))
      local sender <close> = assert(mailslot.open("wide"))
      assert.equal(200, sender:send_all(list))
      assert.equal("message 200", wide:read_all()[200])
    end)

    it("raises when the list closes the writer", function()
      local list = setmetatable({}, {
        __len = function() return 1 end,
        __index = function()
          writer:close()
          return "message"
        end,
      })
      assert.error_matches(function()
        writer:send_all(list)
      end, "attempt to use a closed writer")
    end)
  end)
end)
