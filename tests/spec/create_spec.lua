-- SPDX-License-Identifier: MIT
local support = require "tests.spec.support"
local mailslot = require "mailslot"

local function create(name, options)
  return assert(mailslot.create(name, options))
end

-- `nil, message, code` with this code.
local function assert_fails(code, result, message, symbol)
  assert.is_nil(result)
  assert.is_string(message)
  assert.equal(code, symbol)
end

describe("mailslot.create", function()
  before_each(support.enter)
  after_each(support.leave)

  it("case 1: makes an empty slot", function()
    local slot <close> = create("jobs")
    assert.equal("slot", mailslot.type(slot))
    assert.equal(0, #slot)
    assert.equal(0, slot:info().count)
  end)

  it("case 2: refuses a name that lives here, and leaves the slot untouched", function()
    local slot <close> = create("jobs", { max_message_size = 10, timeout = 0.25 })
    mailslot.send("jobs", "mine")
    local before = slot:info()
    assert_fails("EEXIST", mailslot.create("jobs", { max_message_size = 99 }))
    assert.same(before, slot:info())
    assert.equal("mine", slot:read())
  end)

  it("case 3: refuses a name that lives in another process", function()
    local child = support.lua([[
      local slot = assert(mailslot.create("jobs"))
      print("ready")
      io.read()
    ]])
    child:expect("ready")
    assert_fails("EEXIST", mailslot.create("jobs"))
    child:succeed()
  end)

  it("case 4: refuses a name that differs in letter case alone", function()
    local slot <close> = create("Name")
    assert_fails("EEXIST", mailslot.create("NAME"))
    assert.equal(0, #slot)
  end)

  it("case 6: takes the prefix in any letter case and with slashes", function()
    local slot <close> = create([[\\.\mailslot\Jobs]])
    for _, name in ipairs { "jobs", [[\\.\MAILSLOT\jobs]], "//./mailslot/JOBS" } do
      assert.is_true(mailslot.send(name, name))
      assert.equal(name, slot:read())
    end
  end)

  it("case 9: keeps a and a\\b apart, and needs no parent", function()
    local child <close> = create([[a\b]])
    local parent <close> = create("a")
    mailslot.send("a/b", "to the child")
    mailslot.send("a", "to the parent")
    assert.same({ "to the child" }, child:read_all())
    assert.same({ "to the parent" }, parent:read_all())
  end)

  for case, name in pairs {
    ["case 12: an empty name"] = "",
    ["case 12: the bare prefix"] = [[\\.\mailslot\]],
    ["case 10: another device"] = [[\\.\pipe\jobs]],
    ["case 13: another machine"] = [[\\HOST\mailslot\jobs]],
    ["case 13: all machines"] = [[\\*\mailslot\jobs]],
    ["case 15: a way out"] = "../jobs",
    ["case 15: a NUL byte"] = "jobs\0",
    ["case 15: a control character"] = "jo\nbs",
  } do
    it(case .. " is EINVAL", function()
      assert_fails("EINVAL", mailslot.create(name))
    end)
  end

  for name, fault in pairs {
    [""] = "it is empty, or a part of it between separators is",
    [ [[a\\b]] ] = "it is empty, or a part of it between separators is",
    ["jobs."] = "it, or a part of it, ends in a dot or a space",
    ["jo\nbs"] = "it has a control character",
    ["jobs\0"] = "it has a NUL byte",
    [ [[\\.\pipe\jobs]] ] = [[after \\. or \\HOST must come \mailslot\NAME]],
    [ [[\\?\mailslot\jobs]] ] = "the host is not one",
    [ [[\\HOST\mailslot\jobs]] ] = "it is another machine's, and can only be sent to",
    [("n"):rep(247)] = "it has more than 246 bytes",
    [ [[\\]] .. ("h"):rep(256) .. [[\mailslot\jobs]] ] = "the host has more than 255 bytes",
  } do
    it(("says what is wrong with the name %q"):format(name), function()
      local text = ("mailslot '%s': not a name for a slot: %s"):format(name, fault)
      assert.equal(text, (select(2, mailslot.create(name))))
      if name:sub(1, 6) ~= [[\\HOST]] then
        assert.equal(text, (select(2, mailslot.send(name, "hello"))))
        assert.equal(text, (select(2, mailslot.info(name))))
      end
    end)
  end

  for what, options in pairs {
    ["group needs mode \"0620\" or \"0622\""] = { group = 0 },
    ["group: there is no group 'no such'"] = { group = "no such", mode = "0620" },
    ["user_max_bytes must be an integer from 0 to 4096"] =
      { user_max_bytes = 4097, max_bytes = 4096 },
  } do
    it("raises: " .. what, function()
      local raised, text = pcall(mailslot.create, "jobs", options)
      assert.is_false(raised)
      assert.is_truthy(text:find("(" .. what .. ")", 1, true), text)
      assert.same({}, support.files())
    end)
  end

  it("case 16: takes 246 bytes and refuses 247", function()
    local slot <close> = create(("n"):rep(246))
    assert.equal(("n"):rep(246), slot:info().name)
    assert_fails("ENAMETOOLONG", mailslot.create(("n"):rep(247)))
  end)

  it("case 19: takes the largest maximum and a timeout for ever", function()
    local slot <close> = create("jobs", { max_message_size = 0xFFFFFFFF, timeout = math.huge })
    local info = slot:info()
    assert.equal(0xFFFFFFFF, info.max_message_size)
    assert.equal(math.huge, info.timeout)
  end)

  it("rounds max_bytes up and tells the result", function()
    local slot <close> = create("jobs", { max_bytes = 5000 })
    assert.equal(8192, slot:info().max_bytes)
    local other <close> = create("others", { max_bytes = 0 })
    assert.equal(1 << 30, other:info().max_bytes)
  end)

  it("takes nil and an empty table for the defaults", function()
    local slot <close> = create("jobs", nil)
    local other <close> = create("others", {})
    for _, info in ipairs { slot:info(), other:info() } do
      assert.equal(0, info.max_message_size)
      assert.equal(0, info.timeout)
      assert.equal(1 << 30, info.max_bytes)
    end
  end)

  for what, options in pairs {
    ["a negative maximum"] = { max_message_size = -1 },
    ["a fractional maximum"] = { max_message_size = 1.5 },
    ["a maximum that is a string"] = { max_message_size = "10" },
    ["a maximum beyond 32 bits"] = { max_message_size = 0x100000000 },
    ["an infinite maximum"] = { max_message_size = math.huge },
    ["a negative bound"] = { max_bytes = -4096 },
    ["a fractional bound"] = { max_bytes = 4096.5 },
    ["a bound beyond 2^40"] = { max_bytes = (1 << 40) + 1 },
    ["a negative timeout"] = { timeout = -0.001 },
    ["a timeout that is not a number"] = { timeout = "1" },
    ["a timeout of NaN"] = { timeout = 0 / 0 },
    ["a timeout of minus infinity"] = { timeout = -math.huge },
    ["a mode that is a number"] = { mode = 622 },
    ["a mode that lets others read"] = { mode = "0644" },
    ["a group that is no name"] = { group = {} },
    ["a share below 0"] = { user_max_bytes = -1 },
    ["a timeout beyond the range"] = { timeout = 4294967.295 },
  } do
    it("case 20: raises for " .. what .. " and creates nothing", function()
      assert.error_matches(function()
        mailslot.create("jobs", options)
      end, "^bad argument #2 to '[%w.]*create' %(%g+ must be ")
      assert.same({}, support.files())
    end)
  end

  for what, options in pairs {
    ["max_message_sise"] = { max_message_sise = 1 },
    ["1"] = { "jobs" },
  } do
    it("raises for the unknown option " .. what, function()
      assert.error_matches(function()
        mailslot.create("jobs", options)
      end, "bad argument #2 .*unknown option '" .. what .. "'")
      assert.same({}, support.files())
    end)
  end

  it("raises for a name that is no string and options that are no table", function()
    assert.error_matches(function()
      mailslot.create()
    end, "bad argument #1 .*string expected, got no value")
    assert.error_matches(function()
      mailslot.create({})
    end, "bad argument #1 .*string expected, got table")
    assert.error_matches(function()
      mailslot.create("jobs", 10)
    end, "bad argument #2 .*table expected, got number")
  end)

  it("case 21: of sixteen processes that race for a name, exactly one wins", function()
    local children = {}
    for i = 1, 16 do
      children[i] = support.lua([[
        print("ready")
        io.read()
        local slot, _, code = mailslot.create("jobs")
        print(slot and "won" or code)
        io.read()
      ]])
      children[i]:expect("ready")
    end
    for _, child in ipairs(children) do
      child:write("go\n")
    end
    local count = {}
    for _, child in ipairs(children) do
      local line = child:line()
      count[line] = (count[line] or 0) + 1
    end
    assert.same({ won = 1, EEXIST = 15 }, count)
    for _, child in ipairs(children) do
      child:succeed()
    end
  end)

  it("case 23: leaves no descriptor, mapping or file when it fails", function()
    local slot <close> = create("jobs")
    local open, _, mapped = support.descriptors(), support.mappings()
    for _ = 1, 50 do
      mailslot.create("jobs")
      mailslot.create("..")
      mailslot.open("nobody")
    end
    collectgarbage()
    assert.equal(open, support.descriptors())
    assert.equal(mapped, select(2, support.mappings()))
    assert.same({ "mailslot.jobs" }, support.files())
    assert.equal(0, #slot)
  end)
end)
