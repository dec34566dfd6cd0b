/*
 * delta_isa.h - what the delta codec knows of an instruction set: where references are, and how an
 * address is written into them.
 *
 * Pure functions of a few bytes of the old image and a small scan state; no allocation, no globals.
 * Encoder and decoder use the same ones, so a mapper that misreads an instruction costs bytes and
 * never correctness.  Each instruction set is one file core/delta_<isa>.c.
 */
#ifndef MUE_CORE_DELTA_ISA_H
#define MUE_CORE_DELTA_ISA_H

#include <stdbool.h>
#include <stdint.h>

/* MUE_DELTA_SMALL leaves out what only hosts need: ELF files, profile L, writing backwards. */
#if SIZE_MAX <= UINT16_MAX && !defined(MUE_DELTA_SMALL)
#define MUE_DELTA_SMALL
#endif

/* Offsets in images; where flash is small, images of 64 KiB and more are refused instead. */
#ifdef MUE_DELTA_NARROW
typedef uint16_t mue_delta_off;
#else
typedef uint32_t mue_delta_off;
#endif

/* Wire format: never renumber. */
enum mue_delta_isa_id {
	MUE_DELTA_PLAIN = 0,
	MUE_DELTA_AVR = 1,
	MUE_DELTA_THUMB = 2,
	MUE_DELTA_ARM32 = 3,
	MUE_DELTA_ARM64 = 4,
	MUE_DELTA_RISCV = 5,
	MUE_DELTA_X86_64 = 6,
};

/* Context class of a unit: what kind of thing is predicted. */
enum mue_delta_kind {
	MUE_DELTA_BYTES = 0, /* no reference */
	MUE_DELTA_WIDE,      /* a long instruction; with a form: a number in it, no address */
	MUE_DELTA_CALL,      /* far call or jump */
	MUE_DELTA_BRANCH,    /* near branch */
	MUE_DELTA_LOCAL,     /* literal load */
	MUE_DELTA_POINTER,   /* address as data */
	MUE_DELTA_DATA,      /* address outside the image: RAM */
	MUE_DELTA_SPLIT,     /* half of an address */
	MUE_DELTA_KINDS,
};

enum {
	MUE_DELTA_UNIT_MAX = 8,    /* bytes in a unit */
	MUE_DELTA_POOL_BITS = 256, /* literal words looked ahead */
	MUE_DELTA_FORM_DATA = 128, /* forms from here on are core/delta_elf.c's */
	MUE_DELTA_FORM_FROM = 130, /* a word that counts from the address `page` */
};

struct mue_delta_unit {
	uint32_t value;                    /* the address that the old bytes refer to */
	uint8_t bytes[MUE_DELTA_UNIT_MAX]; /* old bytes in, predicted bytes out */
	uint8_t len;                       /* 1..MUE_DELTA_UNIT_MAX */
	uint8_t kind;                      /* enum mue_delta_kind */
	uint8_t form;                      /* the mapper's own: how the address is written */
	uint8_t shift;                     /* low bits that corrections never have */
	uint16_t hint;                     /* the mapper's own: more about the address */
	uint32_t page;                     /* likewise */
};

/* What a mapper remembers while it walks through the old image. */
struct mue_delta_scan {
	uint32_t addr;       /* of the unit */
	uint32_t base, size; /* the old image's addresses */
#ifdef MUE_DELTA_SMALL
	union {
		uint8_t pool[MUE_DELTA_POOL_BITS / 8]; /* words known to be literals */
	} u;
#else
	union {
		uint8_t pool[MUE_DELTA_POOL_BITS / 8];
		struct {
			uint32_t known; /* registers whose page is known */
			uint32_t page[32];
		} reg;
		struct {
			uint8_t bits[MUE_DELTA_POOL_BITS / 8]; /* is `pool` */
			uint32_t from[MUE_DELTA_POOL_BITS]; /* what a literal counts from, or 0 */
		} pic;
	} u;
	uint32_t eh_table, eh_table_size; /* addresses of .eh_frame_hdr, .eh_frame */
	uint32_t eh_frames, eh_end;
	uint32_t eh_next;        /* address of a start of code known to come */
	uint32_t code, code_end; /* addresses of sections with instructions */
	bool elf;
	bool wide; /* ELF of 64 bits */
#endif
};

struct mue_delta_isa {
	uint8_t id;    /* enum mue_delta_isa_id */
	uint8_t step;  /* alignment of units in old */
	uint8_t ahead; /* bytes that scan reads */
	/*
	 * Fills len, kind, form and shift of the unit whose bytes are w[0..ahead), of which
	 * u->bytes holds the first ones; bytes beyond the image are zeros.
	 */
	void (*scan)(struct mue_delta_scan *s, const uint8_t *w, struct mue_delta_unit *u);
	/* The address that u->bytes refer to when they stand at `addr`; u->form is not 0. */
	uint32_t (*get)(const struct mue_delta_unit *u, uint32_t addr);
	/*
	 * Writes `value` into u->bytes for a unit that starts at address `addr`.  False, and
	 * nothing written, when it cannot be written there.
	 */
	bool (*put)(struct mue_delta_unit *u, uint32_t addr, uint32_t value);
};

extern const struct mue_delta_isa mue_delta_avr, mue_delta_thumb, mue_delta_arm32, mue_delta_arm64,
	mue_delta_riscv, mue_delta_x86_64;

/* Called when the walk goes on at `addr`: forgets all when that is not a little further on. */
void mue_delta_scan_seek(struct mue_delta_scan *s, uint32_t addr);

static inline uint16_t mue_delta_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | (uint16_t)p[1] << 8);
}

static inline uint32_t mue_delta_get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void mue_delta_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void mue_delta_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

#endif
