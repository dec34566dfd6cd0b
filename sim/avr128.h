/*
 * avr128.h - an ATmega128 in simavr that behaves like one where a boot loader looks.
 *
 * simavr's own model is too kind.  Here: a page write ANDs, SPM works only from the boot section,
 * an erase needs an aligned page, SPM and EEPROM take time and show it, IVSEL moves the vectors,
 * and every page erase, page write and EEPROM byte is a counted operation that can be torn by a
 * power cut.  A power-on fills registers and SRAM with junk.  Breaches of the rules are counted.
 * SHA-256 compression may be computed natively at its entry to save time.
 */
#ifndef MUE_SIM_AVR128_H
#define MUE_SIM_AVR128_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AVR128_FLASH   0x20000u
#define AVR128_BOOT    0x1e000u
#define AVR128_SLOT_B  0x0f000u
#define AVR128_PAGE    256u
#define AVR128_EEPROM  4096u
#define AVR128_RAM_END 0x1100u /* data addresses 0x100..0x10ff are SRAM */

#define AVR128_PAINT 0xa5

/* How an operation under power cut ends. */
enum avr128_tear { AVR128_BEFORE, AVR128_HALF, AVR128_GARBLED, AVR128_AFTER, AVR128_TEARS };

/* Why a run came back. */
enum avr128_stop {
	AVR128_CYCLES,  /* used its cycles */
	AVR128_CUT,     /* power was cut */
	AVR128_REACHED, /* reached `until_pc` */
	AVR128_SAID,    /* the UART said `until_text` */
	AVR128_CRASHED  /* the core refuses to go on */
};

struct avr128_machine {
	struct avr_t *avr;
	uint8_t *flash, *eeprom; /* AVR128_FLASH and AVR128_EEPROM bytes: the non-volatile world */
	/* options, to be set between runs */
	uint32_t busy_spm, busy_eeprom; /* cycles of an operation */
	uint32_t cut_at;                /* operation number since power-on, 0: none */
	enum avr128_tear tear;
	uint32_t native_sha; /* byte address of mue_sha256_compress, 0: run the real code */
	uint32_t until_pc;   /* 0: none; byte address */
	const char *until_text;
	uint32_t skip_at; /* skip the instruction at this count of instructions, 0: none */
	bool paint;       /* SRAM filled with AVR128_PAINT instead of junk: to measure the stack */
	uint32_t *first_at; /* NULL, or for each flash word when it was executed first and last, */
	uint32_t *last_at;  /* counted in instructions since power-on, 0: never */
	/* results */
	uint32_t ops, breaches;
	uint32_t writes_at[AVR128_FLASH / AVR128_PAGE]; /* page erases and writes, by page */
	uint64_t instructions;
	char said[4096]; /* the UART's output, a closing 0 */
	size_t said_len;
	char breach[128]; /* the first one */
	/* input waiting for the UART */
	const uint8_t *input;
	size_t input_len;
	bool uart_ready;
	uint32_t seed;
	bool cut;
	uint32_t sha_done;
	void *eeprom_io;
};

/* Allocates the machine with erased memories; NULL when simavr has no atmega128.  avr128_free. */
struct avr128_machine *avr128_new(uint32_t frequency);
void avr128_free(struct avr128_machine *m);

/* Puts an ELF file's loadable bytes into flash.  0 or -1. */
int avr128_load(struct avr128_machine *m, const char *path);
/* The address of a symbol (byte address in flash), 0 when there is none. */
uint32_t avr128_symbol(const char *path, const char *name);

/* Power on: junk in SRAM and registers, PORF set, starts at the boot section. */
void avr128_power_on(struct avr128_machine *m);

enum avr128_stop avr128_run(struct avr128_machine *m, uint64_t cycles);

#endif
