/* SPDX-License-Identifier: MIT */
/* Mailslot writes: layout, sizes, and what a receiver checks. */
#include "packet.h"

/* Fields, from the start of the packet. */
#define SMB(offset) (PACKET_SMB + (offset))
#define COMMAND SMB(4)
#define WORD_COUNT SMB(32)
#define TOTAL_PARAMETERS SMB(33)
#define TOTAL_DATA SMB(35)
#define PARAMETERS SMB(51)
#define DATA_COUNT SMB(55)
#define DATA_OFFSET SMB(57)
#define SETUP_COUNT SMB(59)
#define OPCODE SMB(61)
#define BYTE_COUNT SMB(67)
#define NAME SMB(69)

static struct packet example(void) {
    struct packet packet;
    packet_make(&packet);
    return packet;
}

static void put16(struct packet *packet, size_t offset, unsigned value) {
    packet->bytes[offset] = (uint8_t)value;
    packet->bytes[offset + 1] = (uint8_t)(value >> 8);
}

static unsigned get16(const uint8_t *bytes) {
    return bytes[0] | (unsigned)bytes[1] << 8;
}

/* The length of the datagram after its end was moved. */
static void resize(struct packet *packet, size_t size) {
    packet->size = size;
    packet->bytes[10] = (uint8_t)((size - MS_DATAGRAM_HEADER_SIZE) >> 8);
    packet->bytes[11] = (uint8_t)(size - MS_DATAGRAM_HEADER_SIZE);
}

/* [MS-MAIL] 4: a name of 32 bytes with its zero, and 36 bytes of data. */
START_TEST(the_layout_is_that_of_the_worked_example) {
    const char name[] = "abcdefghijklmnopqrstu";
    uint8_t data[36];
    uint8_t smb[MS_DATAGRAM_DATA_MAX];
    memset(data, 'd', sizeof data);
    struct ms_mailslot_write write = {
        .slot = name, .slot_size = 21, .data = data, .size = sizeof data};
    ck_assert_int_eq(ms_mailslot_write_encode(&write, smb, sizeof smb), 104 + 36);
    ck_assert_mem_eq(smb, "\xffSMB\x25", 5);
    ck_assert_uint_eq(smb[32], 17);
    ck_assert_uint_eq(get16(smb + 35), 36);
    ck_assert_uint_eq(get16(smb + 55), 36);
    ck_assert_uint_eq(get16(smb + 57), 104);
    ck_assert_uint_eq(smb[59], 3);
    ck_assert_uint_eq(get16(smb + 61), 1);
    ck_assert_uint_eq(get16(smb + 65), 2);
    ck_assert_uint_eq(get16(smb + 67), 71);
    ck_assert_mem_eq(smb + 69, "\\MAILSLOT\\abcdefghijklmnopqrstu\0\0\0\0", 35);
    ck_assert_mem_eq(smb + 104, data, sizeof data);
}
END_TEST

static const struct {
    size_t name;
    size_t limit;
} limits[] = {
    {1, 428},   {4, 428},   {5, 424},  {8, 424},  {9, 420},      {12, 420},
    {13, 416},  {16, 416},  {17, 412}, {32, 400}, {33, 396},     {244, 188},
    {245, 184}, {246, 184}, {0, 0},    {247, 0},  {SIZE_MAX, 0},
};

START_TEST(the_limit_of_a_message_depends_on_the_name) {
    ck_assert_uint_eq(ms_mailslot_write_limit(limits[_i].name), limits[_i].limit);
}
END_TEST

/* Each size of name: the largest message fits a datagram, one byte more is refused. */
START_TEST(a_message_up_to_the_limit_is_encoded_and_a_larger_one_is_not) {
    char name[246];
    uint8_t data[433] = {0};
    uint8_t smb[MS_DATAGRAM_DATA_MAX];
    memset(name, 'n', sizeof name);
    for (size_t size = 1; size <= sizeof name; size++) {
        size_t limit = ms_mailslot_write_limit(size);
        ck_assert_uint_eq(limit, 432 - (size + 3) / 4 * 4);
        struct ms_mailslot_write write = {
            .slot = name, .slot_size = size, .data = data, .size = limit};
        ck_assert_int_eq(ms_mailslot_write_encode(&write, smb, sizeof smb),
                         MS_DATAGRAM_DATA_MAX);
        write.size = limit + 1;
        ck_assert_int_eq(ms_mailslot_write_encode(&write, smb, sizeof smb), -EMSGSIZE);
        write.size = SIZE_MAX;
        ck_assert_int_eq(ms_mailslot_write_encode(&write, smb, sizeof smb), -EMSGSIZE);
    }
}
END_TEST

static const struct {
    const char *name;
    size_t size;
    int error;
} bad_names[] = {
    {"", 0, -EINVAL},
    {"a\0b", 3, -EINVAL},
    {"a\nb", 3, -EINVAL},
    {"a\x7f", 2, -EINVAL},
    {"\xc3\xa9", 2, -EINVAL},
    {"a", 247, -ENAMETOOLONG},
    {"a", SIZE_MAX, -ENAMETOOLONG},
};

START_TEST(a_name_that_the_format_cannot_carry_is_refused) {
    uint8_t smb[MS_DATAGRAM_DATA_MAX];
    struct ms_mailslot_write write = {.slot = bad_names[_i].name,
                                      .slot_size = bad_names[_i].size,
                                      .data = NULL,
                                      .size = 0};
    ck_assert_int_eq(ms_mailslot_write_encode(&write, smb, sizeof smb),
                     bad_names[_i].error);
}
END_TEST

START_TEST(a_buffer_that_is_too_small_is_not_overrun) {
    struct ms_mailslot_write write = {
        .slot = "a\\b", .slot_size = 3, .data = (const uint8_t *)"data", .size = 4};
    for (size_t capacity = 0; capacity <= 88; capacity++) {
        uint8_t *buffer = malloc(capacity + 1);
        ck_assert_ptr_nonnull(buffer);
        buffer[capacity] = 0x5a;
        int r = ms_mailslot_write_encode(&write, buffer, capacity);
        ck_assert_int_eq(r, capacity < 88 ? -ENOBUFS : 88);
        ck_assert_uint_eq(buffer[capacity], 0x5a);
        free(buffer);
    }
}
END_TEST

static void make_random(uint64_t *state, char *name, uint8_t *data,
                        struct ms_mailslot_write *ret_write) {
    size_t name_size = 1 + random_next(state) % 246;
    size_t size = random_next(state) % (ms_mailslot_write_limit(name_size) + 1);
    for (size_t i = 0; i < name_size; i++) {
        name[i] = (char)(0x20 + random_next(state) % 0x5f);
    }
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)random_next(state);
    }
    *ret_write = (struct ms_mailslot_write){
        .slot = name, .slot_size = name_size, .data = data, .size = size};
}

START_TEST(any_name_and_any_message_survive_the_wire) {
    uint64_t state = 1;
    char name[246];
    uint8_t data[432];
    for (int round = 0; round < 20000; round++) {
        struct ms_mailslot_write write;
        struct ms_mailslot_write again;
        uint8_t smb[MS_DATAGRAM_DATA_MAX];
        enum ms_reason reason;
        make_random(&state, name, data, &write);
        int size = ms_mailslot_write_encode(&write, smb, sizeof smb);
        HOLDS(size > 0 &&
              ms_mailslot_write_decode(smb, (size_t)size, &again, &reason) == 0);
        HOLDS(again.slot_size == write.slot_size && again.size == write.size);
        HOLDS(memcmp(again.slot, name, again.slot_size) == 0);
        HOLDS(memcmp(again.data, data, again.size) == 0);
        HOLDS((again.data - smb) % 4 == 0);
    }
}
END_TEST

START_TEST(data_without_padding_or_far_behind_the_name_is_accepted) {
    for (unsigned offset = 84; offset < 100; offset++) {
        struct packet packet = example();
        memcpy(packet.bytes + SMB(offset), "hello", 5);
        put16(&packet, DATA_OFFSET, offset);
        resize(&packet, SMB(offset) + 5);
        packet_accepted(&packet);
    }
    struct packet packet = example(); /* 69 + 10 + 4 + 1 is 84: nothing between */
    ck_assert_uint_eq(get16(packet.bytes + DATA_OFFSET), 84);
}
END_TEST

START_TEST(a_mailslot_name_with_another_case_of_its_prefix_is_accepted) {
    struct packet packet = example();
    memcpy(packet.bytes + NAME, "\\mailslot\\", 10);
    packet_accepted(&packet);
    memcpy(packet.bytes + NAME, "\\MailSlot\\", 10);
    packet_accepted(&packet);
}
END_TEST

/* All bytes of the field that the table calls ignored, of any value. */
START_TEST(fields_that_do_not_matter_are_not_looked_at) {
    static const struct {
        size_t first;
        size_t last;
    } fields[] = {
        {5, 31},            /* status to MID */
        {37, 50},           /* maxima, flags, timeout */
        {53, 54},           /* ParameterOffset */
        {60, 60}, {63, 68}, /* Priority, Class, ByteCount */
    };
    for (int i = 0; i < COUNT(fields); i++) {
        for (size_t offset = fields[i].first; offset <= fields[i].last; offset++) {
            struct packet packet = example();
            for (unsigned value = 0; value < 256; value += 51) {
                packet.bytes[SMB(offset)] = (uint8_t)value;
                packet_accepted(&packet);
            }
        }
    }
}
END_TEST

START_TEST(any_class_and_any_byte_count_is_accepted) {
    struct packet packet = example();
    put16(&packet, SMB(65), 1);
    put16(&packet, BYTE_COUNT, 0);
    packet_accepted(&packet);
    put16(&packet, BYTE_COUNT, 0xffff);
    packet_accepted(&packet);
}
END_TEST

/* A byte of the example with any other value than the one that it must have. */
static const struct {
    size_t offset;
    enum ms_reason reason;
} fixed[] = {
    {SMB(0), MS_REASON_PROTOCOL},
    {SMB(1), MS_REASON_PROTOCOL},
    {SMB(2), MS_REASON_PROTOCOL},
    {SMB(3), MS_REASON_PROTOCOL},
    {COMMAND, MS_REASON_COMMAND},
    {WORD_COUNT, MS_REASON_WORD_COUNT},
    {TOTAL_PARAMETERS, MS_REASON_PARAMETERS},
    {TOTAL_PARAMETERS + 1, MS_REASON_PARAMETERS},
    {TOTAL_DATA, MS_REASON_PARTS},
    {TOTAL_DATA + 1, MS_REASON_PARTS},
    {PARAMETERS, MS_REASON_PARAMETERS},
    {PARAMETERS + 1, MS_REASON_PARAMETERS},
    {SETUP_COUNT, MS_REASON_SETUP_COUNT},
    {OPCODE, MS_REASON_OPCODE},
    {OPCODE + 1, MS_REASON_OPCODE},
};

START_TEST(a_field_that_must_have_one_value_has_it_or_the_write_is_dropped) {
    struct packet original = example();
    for (unsigned value = 0; value < 256; value++) {
        struct packet packet = original;
        packet.bytes[fixed[_i].offset] = (uint8_t)value;
        if (value == original.bytes[fixed[_i].offset]) {
            packet_accepted(&packet);
        } else {
            packet_refused(&packet, fixed[_i].reason);
        }
    }
}
END_TEST

/* The example: 89 bytes, its name from 69 to 83, its data from 84. */
static const struct {
    unsigned offset;
    unsigned count;
    enum ms_reason reason;
} places[] = {
    {85, 5, MS_REASON_DATA},      {90, 0, MS_REASON_DATA},
    {89, 1, MS_REASON_DATA},      {84, 6, MS_REASON_DATA},
    {0xffff, 0, MS_REASON_DATA},  {0xffff, 0xffff, MS_REASON_DATA},
    {84, 0xffff, MS_REASON_DATA}, {0x100, 5, MS_REASON_DATA},
    {0, 5, MS_REASON_DATA},       {0, 0, MS_REASON_DATA},
    {68, 5, MS_REASON_DATA},      {69, 5, MS_REASON_SLOT_NAME},
    {83, 5, MS_REASON_SLOT_NAME}, {80, 0, MS_REASON_SLOT_NAME},
};

START_TEST(data_outside_of_the_packet_or_inside_its_header_is_dropped) {
    struct packet packet = example();
    put16(&packet, DATA_OFFSET, places[_i].offset);
    put16(&packet, DATA_COUNT, places[_i].count);
    put16(&packet, TOTAL_DATA, places[_i].count);
    packet_refused(&packet, places[_i].reason);
}
END_TEST

START_TEST(a_message_of_no_bytes_is_accepted) {
    struct packet packet = example();
    struct ms_datagram datagram;
    struct ms_mailslot_write write;
    enum ms_reason reason;
    put16(&packet, DATA_COUNT, 0);
    put16(&packet, TOTAL_DATA, 0);
    resize(&packet, SMB(84));
    ck_assert_int_eq(packet_receive(&packet, &datagram, &write, &reason), 0);
    ck_assert_uint_eq(write.size, 0);
    ck_assert_uint_eq(write.slot_size, 4);
}
END_TEST

START_TEST(a_name_without_an_end_before_the_data_is_dropped) {
    struct packet packet = example();
    packet.bytes[SMB(83)] = 'x';
    packet_refused(&packet, MS_REASON_SLOT_NAME);
    packet.bytes[SMB(84)] = 0; /* an end in the data does not count */
    packet_refused(&packet, MS_REASON_SLOT_NAME);
}
END_TEST

START_TEST(a_name_that_is_not_below_mailslot_is_dropped) {
    static const char *const texts[] = {"\\PIPE\\jobsx\0\0",
                                        "\\MAILSLOT\\\0\0\0\0",
                                        "\\MAILSLOT\0\0\0\0\0",
                                        "\0MAILSLOT\\jobs",
                                        "/MAILSLOT/jobs",
                                        "XMAILSLOT\\jobs",
                                        "\\MAILSLOU\\jobs",
                                        "\\MAILSLOT\\j\nbs",
                                        "\\MAILSLOT\\j\xe9"
                                        "bs"};
    for (int i = 0; i < COUNT(texts); i++) {
        struct packet packet = example();
        memcpy(packet.bytes + NAME, texts[i], 14);
        packet_refused(&packet, MS_REASON_SLOT_NAME);
    }
}
END_TEST

/* A name of 246 bytes fits; one of 247 fits the packet, but is no name. */
START_TEST(a_name_that_is_too_long_is_dropped) {
    for (unsigned size = 246; size <= 247; size++) {
        struct packet packet = example();
        unsigned offset = 69 + 10 + size + 1;
        memset(packet.bytes + SMB(79), 'n', size);
        memcpy(packet.bytes + SMB(79 + size), "\0hello", 6);
        put16(&packet, DATA_OFFSET, offset);
        resize(&packet, SMB(offset) + 5);
        struct ms_datagram datagram;
        struct ms_mailslot_write write;
        enum ms_reason reason = MS_REASON_COUNT;
        int r = packet_receive(&packet, &datagram, &write, &reason);
        ck_assert_int_eq(r, size == 246 ? 0 : -EBADMSG);
        ck_assert_uint_eq(reason, size == 246 ? MS_REASON_COUNT : MS_REASON_SLOT_NAME);
    }
}
END_TEST

START_TEST(a_write_that_is_cut_before_its_name_is_dropped) {
    for (size_t size = 0; size < 69; size++) {
        struct packet packet = example();
        resize(&packet, SMB(size));
        packet_refused(&packet, MS_REASON_CUT);
    }
}
END_TEST

static void add_receiving(TCase *cases) {
    tcase_add_test(cases, data_without_padding_or_far_behind_the_name_is_accepted);
    tcase_add_test(cases, a_mailslot_name_with_another_case_of_its_prefix_is_accepted);
    tcase_add_test(cases, fields_that_do_not_matter_are_not_looked_at);
    tcase_add_test(cases, any_class_and_any_byte_count_is_accepted);
    tcase_add_loop_test(cases,
                        a_field_that_must_have_one_value_has_it_or_the_write_is_dropped,
                        0, COUNT(fixed));
    tcase_add_loop_test(cases,
                        data_outside_of_the_packet_or_inside_its_header_is_dropped, 0,
                        COUNT(places));
    tcase_add_test(cases, a_message_of_no_bytes_is_accepted);
    tcase_add_test(cases, a_name_without_an_end_before_the_data_is_dropped);
    tcase_add_test(cases, a_name_that_is_not_below_mailslot_is_dropped);
    tcase_add_test(cases, a_name_that_is_too_long_is_dropped);
    tcase_add_test(cases, a_write_that_is_cut_before_its_name_is_dropped);
}

int main(void) {
    Suite *suite;
    TCase *cases = suite_begin(&suite, "mailslot_write");
    tcase_add_test(cases, the_layout_is_that_of_the_worked_example);
    tcase_add_loop_test(cases, the_limit_of_a_message_depends_on_the_name, 0,
                        COUNT(limits));
    tcase_add_test(cases, a_message_up_to_the_limit_is_encoded_and_a_larger_one_is_not);
    tcase_add_loop_test(cases, a_name_that_the_format_cannot_carry_is_refused, 0,
                        COUNT(bad_names));
    tcase_add_test(cases, a_buffer_that_is_too_small_is_not_overrun);
    tcase_add_test(cases, any_name_and_any_message_survive_the_wire);
    add_receiving(cases);
    return suite_run(suite);
}
