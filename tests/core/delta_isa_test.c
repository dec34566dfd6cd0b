/* What the mappers read out of instructions, and that they write back what they read. */
#include "core/delta_isa.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

struct row {
	const char *says;
	const struct mue_delta_isa *isa;
	uint32_t addr;
	uint8_t bytes[8];
	uint8_t len, kind;
	uint32_t value;
};

/* clang-format off */
static const struct row rows[] = {
	{ "AVR call 0x1234", &mue_delta_avr, 0x100, { 0x0e, 0x94, 0x1a, 0x09 }, 4, MUE_DELTA_CALL, 0x1234 },
	{ "AVR jmp 0x3fffe in 22 bits", &mue_delta_avr, 0, { 0x0d, 0x94, 0xff, 0xff }, 4, MUE_DELTA_CALL, 0x3fffe },
	{ "AVR rjmp .-2", &mue_delta_avr, 0x100, { 0xff, 0xcf }, 2, MUE_DELTA_CALL, 0x100 },
	{ "AVR rcall .+4", &mue_delta_avr, 0x100, { 0x02, 0xd0 }, 2, MUE_DELTA_CALL, 0x106 },
	{ "AVR brne .-4", &mue_delta_avr, 0x100, { 0xf1, 0xf7 }, 2, MUE_DELTA_BRANCH, 0xfe },
	{ "AVR lds r24, 0x0123", &mue_delta_avr, 0, { 0x80, 0x91, 0x23, 0x01 }, 4, MUE_DELTA_DATA, 0x123 },
	{ "AVR ldi r24, 0x34; ldi r25, 0x12", &mue_delta_avr, 0, { 0x84, 0xe3, 0x92, 0xe1 }, 4, MUE_DELTA_DATA, 0x1234 },
	{ "AVR subi r30, 0xcc; sbci r31, 0xed adds 0x1234", &mue_delta_avr, 0, { 0xec, 0x5c, 0xfd, 0x4e }, 4, MUE_DELTA_DATA, 0x1234 },
	{ "AVR nop is no reference", &mue_delta_avr, 0, { 0, 0 }, 2, MUE_DELTA_BYTES, 0 },
	{ "Thumb bl forward", &mue_delta_thumb, 0x8000, { 0x00, 0xf0, 0x10, 0xf8 }, 4, MUE_DELTA_CALL, 0x8024 },
	{ "Thumb bl backward", &mue_delta_thumb, 0x8000, { 0xff, 0xf7, 0xfe, 0xff }, 4, MUE_DELTA_CALL, 0x8000 },
	{ "Thumb b.w", &mue_delta_thumb, 0x8000, { 0x00, 0xf0, 0x02, 0xb8 }, 4, MUE_DELTA_CALL, 0x8008 },
	{ "Thumb beq.w backward", &mue_delta_thumb, 0x8000, { 0x3f, 0xf4, 0xfe, 0xaf }, 4, MUE_DELTA_BRANCH, 0x8000 },
	{ "Thumb b .", &mue_delta_thumb, 0x8000, { 0xfe, 0xe7 }, 2, MUE_DELTA_BRANCH, 0x8000 },
	{ "Thumb bne .+8", &mue_delta_thumb, 0x8000, { 0x02, 0xd1 }, 2, MUE_DELTA_BRANCH, 0x8008 },
	{ "Thumb cbz r0, .+70", &mue_delta_thumb, 0x8000, { 0x08, 0xb3 }, 2, MUE_DELTA_BRANCH, 0x8046 },
	{ "Thumb ldr r0, [pc, #8] at an odd halfword", &mue_delta_thumb, 0x8002, { 0x02, 0x48 }, 2, MUE_DELTA_LOCAL, 0x800c },
	{ "Thumb ldr.w r1, [pc, #-4]", &mue_delta_thumb, 0x8000, { 0x5f, 0xf8, 0x04, 0x10 }, 4, MUE_DELTA_LOCAL, 0x8000 },
	{ "Thumb movw, movt r3, 0x20001234", &mue_delta_thumb, 0x8000, { 0x41, 0xf2, 0x34, 0x23, 0xc2, 0xf2, 0x00, 0x03 }, 8, MUE_DELTA_POINTER, 0x20001234 },
	{ "A64 bl .+16", &mue_delta_arm64, 0x1000, { 0x04, 0, 0, 0x94 }, 4, MUE_DELTA_CALL, 0x1010 },
	{ "A64 b .-4", &mue_delta_arm64, 0x1000, { 0xff, 0xff, 0xff, 0x17 }, 4, MUE_DELTA_CALL, 0xffc },
	{ "A64 b.ne .+8", &mue_delta_arm64, 0x1000, { 0x41, 0, 0, 0x54 }, 4, MUE_DELTA_BRANCH, 0x1008 },
	{ "A64 cbz x0, .-8", &mue_delta_arm64, 0x1000, { 0xc0, 0xff, 0xff, 0xb4 }, 4, MUE_DELTA_BRANCH, 0xff8 },
	{ "A64 tbnz w3, #5, .+8", &mue_delta_arm64, 0x1000, { 0x43, 0, 0x28, 0x37 }, 4, MUE_DELTA_BRANCH, 0x1008 },
	{ "A64 adr x0, .+5", &mue_delta_arm64, 0x1000, { 0x20, 0, 0, 0x30 }, 4, MUE_DELTA_LOCAL, 0x1005 },
	{ "A64 adrp x0, .+4096; add follows", &mue_delta_arm64, 0x1234, { 0, 0, 0, 0xb0, 0, 0x8c, 0x04, 0x91 }, 4, MUE_DELTA_SPLIT, 0x2123 },
	{ "x86-64 call +0x10", &mue_delta_x86_64, 0x1000, { 0xe8, 0x10, 0, 0, 0 }, 5, MUE_DELTA_CALL, 0x1015 },
	{ "x86-64 jne -6", &mue_delta_x86_64, 0x1000, { 0x0f, 0x85, 0xfa, 0xff, 0xff, 0xff }, 6, MUE_DELTA_BRANCH, 0x1000 },
	{ "x86-64 lea rax, [rip + 0x20]", &mue_delta_x86_64, 0x1000, { 0x48, 0x8d, 0x05, 0x20, 0, 0, 0 }, 7, MUE_DELTA_SPLIT, 0x1027 },
	{ "x86-64 cmp byte [rip + 0x20], 1", &mue_delta_x86_64, 0x1000, { 0x80, 0x3d, 0x20, 0, 0, 0, 1 }, 6, MUE_DELTA_SPLIT, 0x1027 },
	{ "RISC-V jal ra, .+0x10", &mue_delta_riscv, 0x1000, { 0xef, 0x00, 0x00, 0x01 }, 4, MUE_DELTA_CALL, 0x1010 },
	{ "RISC-V beq a0, a1, .-4", &mue_delta_riscv, 0x1000, { 0xe3, 0x0e, 0xb5, 0xfe }, 4, MUE_DELTA_BRANCH, 0xffc },
	{ "RISC-V c.j .-2", &mue_delta_riscv, 0x1000, { 0xfd, 0xbf }, 2, MUE_DELTA_BRANCH, 0xffe },
	{ "RISC-V c.beqz a0, .+6", &mue_delta_riscv, 0x1000, { 0x19, 0xc1 }, 2, MUE_DELTA_BRANCH, 0x1006 },
	{ "RISC-V auipc a0, 1; addi a0, a0, -4", &mue_delta_riscv, 0x1000, { 0x17, 0x15, 0, 0, 0x13, 0x05, 0xc5, 0xff }, 8, MUE_DELTA_POINTER, 0x1ffc },
	{ "RISC-V lui a0, 0x20; sw a1, 8(a0)", &mue_delta_riscv, 0x1000, { 0x37, 0x05, 0x02, 0, 0x23, 0x24, 0xb5, 0x00 }, 8, MUE_DELTA_POINTER, 0x20008 },
	{ "A32 bl .+8", &mue_delta_arm32, 0x1000, { 0, 0, 0, 0xeb }, 4, MUE_DELTA_CALL, 0x1008 },
	{ "A32 bne .-4", &mue_delta_arm32, 0x1000, { 0xfd, 0xff, 0xff, 0x1a }, 4, MUE_DELTA_BRANCH, 0xffc },
	{ "A32 ldr r0, [pc, #-8]", &mue_delta_arm32, 0x1000, { 0x08, 0, 0x1f, 0xe5 }, 4, MUE_DELTA_LOCAL, 0x1000 },
	{ "A32 movw r1, #0x1234", &mue_delta_arm32, 0x1000, { 0x34, 0x12, 0x01, 0xe3 }, 4, MUE_DELTA_WIDE, 0x1234 },
};
/* clang-format on */

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct mue_delta_scan s = { .addr = r->addr, .size = 0x9000 };
		struct mue_delta_unit u = { .len = r->isa->step };
		uint8_t w[64] = { 0 }, before[8];

		print_message("# %s\n", r->says);
		memcpy(w, r->bytes, sizeof(r->bytes));
		memcpy(u.bytes, w, sizeof(u.bytes));
		r->isa->scan(&s, w, &u);
		assert_int_equal(u.len, r->len);
		assert_int_equal(u.kind, r->kind);
		if (!u.form)
			continue;
		assert_int_equal(r->isa->get(&u, r->addr), r->value);
		memcpy(before, u.bytes, sizeof(before));
		assert_true(r->isa->put(&u, r->addr, r->value));
		assert_memory_equal(u.bytes, before, sizeof(before));
	}
}

/* Every reference that can be read can be written elsewhere and read again. */
static void test_round_trips(void **state)
{
	static const struct mue_delta_isa *const isas[] = { &mue_delta_avr,   &mue_delta_thumb,
							    &mue_delta_arm64, &mue_delta_x86_64,
							    &mue_delta_riscv, &mue_delta_arm32 };
	uint32_t x = 12345, moved = 0;

	(void)state;
	for (size_t i = 0; i < 600000; i++) {
		const struct mue_delta_isa *isa = isas[i % 6];
		struct mue_delta_scan s = { .addr = 0x8000, .size = 0x100000 };
		struct mue_delta_unit u = { .len = isa->step };
		uint8_t w[64];
		uint32_t value, target;

		for (size_t j = 0; j < sizeof(w); j++) {
			x = x * 1664525 + 1013904223;
			w[j] = (uint8_t)(x >> 24);
		}
		memcpy(u.bytes, w, sizeof(u.bytes));
		isa->scan(&s, w, &u);
		if (!u.form || (u.kind == MUE_DELTA_SPLIT && u.shift))
			continue;
		value = isa->get(&u, 0x8000);
		assert_true(isa->put(&u, 0x8000, value));
		assert_memory_equal(u.bytes, w, u.len);
		target = value + (16U << u.shift);
		if (!isa->put(&u, 0x8000, target))
			continue;
		moved++;
		if (u.kind != MUE_DELTA_WIDE)
			assert_int_equal(isa->get(&u, 0x8000), target);
	}
	assert_true(moved > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_round_trips),
	};

	return cmocka_run_group_tests_name("delta_isa", tests, NULL, NULL);
}
