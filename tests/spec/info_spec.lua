-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"
local uv = require "luv"

describe("info", function()
  local slot, writer

  before_each(function()
    support.enter()
    slot = assert(mailslot.create([[Some\Jobs]], { max_message_size = 100, timeout = 1.5 }))
    writer = assert(mailslot.open("some/jobs"))
  end)

  after_each(function()
    slot:close()
    writer:close()
    support.leave()
  end)

  local function assert_next(count, next_size)
    local info = slot:info()
    assert.equal(count, info.count)
    assert.equal(next_size, info.next_size)
  end

  it("case 68: tells what a fresh slot looks like, and nothing else", function()
    local info = slot:info()
    assert.is_true(math.abs(os.time() - info.created) < 60)
    info.created = nil
    assert.same({
      name = [[Some\Jobs]], count = 0, bytes = 0, received = 0, rejected = 0,
      max_message_size = 100, max_bytes = 1 << 30, timeout = 1.5,
      pid = uv.os_getpid(), uid = uv.getuid(), mode = "0600",
    }, info)
  end)

  it("is one for the slot, for a writer, and by name", function()
    writer:send_all { "A", "" }
    local info = slot:info()
    assert.equal(2, info.count)
    assert.same(info, mailslot.info(slot))
    assert.same(info, writer:info())
    assert.same(info, mailslot.info(writer))
    assert.same(info, mailslot.info([[\\.\mailslot\SOME\JOBS]]))
  end)

  it("case 69: follows messages of 1, 2 and 0 bytes", function()
    for i, message in ipairs { "1", "22", "" } do
      writer:send(message)
      assert_next(i, 1)
    end
    assert.equal(3, slot:info().bytes)
    slot:read()
    assert_next(2, 2)
    slot:read()
    assert_next(1, 0)
    slot:read()
    assert_next(0, nil)
  end)

  it("case 70: tells an empty message from none", function()
    assert.is_nil(slot:info().next_size)
    writer:send("")
    assert.equal(0, slot:info().next_size)
  end)

  it("case 74: removes nothing and does not wait", function()
    writer:send_all { "A", "B" }
    slot:settimeout(math.huge)
    for _ = 1, 3 do
      assert_next(2, 1)
    end
    assert.same({ "A", "B" }, slot:read_all())
  end)

  it("counts what was received and what was refused", function()
    writer:send_all { "A", "BB" }
    writer:send(("x"):rep(101))
    slot:read()
    writer:send("C")
    local info = slot:info()
    assert.equal(3, info.received)
    assert.equal(1, info.rejected)
    assert.equal(2, info.count)
    assert.equal(3, info.bytes)
  end)

  it("has the count as the length of the slot", function()
    assert.equal(0, #slot)
    writer:send_all { "A", "B" }
    assert.equal(2, #slot)
    slot:read()
    assert.equal(1, #slot)
  end)

  it("is of the owner's process, whoever asks", function()
    local child = support.lua([[
      local slot <close> = assert(mailslot.create("theirs"))
      print("ready")
      io.read()
    ]])
    child:expect("ready")
    assert.equal(child.pid, mailslot.info("theirs").pid)
    child:succeed()
  end)

  it("fails with what the world can do", function()
    for name, code in pairs {
      nobody = "ENOENT", [""] = "EINVAL", ["some\0jobs"] = "EINVAL",
      [("n"):rep(247)] = "ENAMETOOLONG",
    } do
      local info, text, symbol = mailslot.info(name)
      assert.is_nil(info)
      assert.matches("mailslot '" .. name .. "': ", text, 1, true)
      assert.equal(code, symbol)
    end
    slot:close()
    assert.equal("EPIPE", select(3, writer:info()))
    assert.equal("EPIPE", select(3, mailslot.info(writer)))
  end)

  it("raises for what is neither a handle nor a name", function()
    for _, value in ipairs { {}, true, print, io.stdout } do
      assert.error_matches(function()
        mailslot.info(value)
      end, "slot, writer or name expected")
    end
    assert.error_matches(function()
      mailslot.info()
    end, "slot, writer or name expected, got no value")
  end)

  it("of a file that is no slot is EBADMSG, and the file stays", function()
    local path = support.directory() .. "/mailslot.junk"
    local file = assert(io.open(path, "w"))
    file:write("not a slot")
    file:close()
    for _, call in ipairs { mailslot.info, mailslot.open, mailslot.create } do
      local result, text, code = call("junk")
      assert.is_nil(result)
      assert.matches("^mailslot 'junk': %w", text)
      assert.equal("EBADMSG", code)
    end
    assert(os.remove(path))
  end)
end)
