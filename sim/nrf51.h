/*
 * nrf51.h - an nRF51 in Unicorn: Cortex-M0, the flash controller with its true rules (erase by
 * page, writes only clear bits and only when enabled), UART, and power that can be cut in every
 * page erase and every word written.
 */
#ifndef MUE_SIM_NRF51_H
#define MUE_SIM_NRF51_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NRF51_FLASH 0x40000u
#define NRF51_PAGE  1024u
#define NRF51_RAM   0x4000u

enum nrf51_tear { NRF51_BEFORE, NRF51_HALF, NRF51_GARBLED, NRF51_AFTER, NRF51_TEARS };

enum nrf51_stop {
	NRF51_IDLE,  /* waits for input that does not come */
	NRF51_CUT,   /* power was cut */
	NRF51_SAID,  /* the UART said `until_text` */
	NRF51_FAULT, /* the core cannot go on, or ran for too long */
};

struct nrf51_machine {
	uint8_t flash[NRF51_FLASH] __attribute__((aligned(4096)));
	uint8_t view[NRF51_FLASH] __attribute__((aligned(4096))); /* what the core sees of it */
	uint8_t ram[NRF51_RAM] __attribute__((aligned(4096)));
	void *uc;
	/* options */
	uint32_t cut_at; /* operation since power-on, 0: none */
	enum nrf51_tear tear;
	uint32_t native_sha; /* address of mue_sha256_compress, 0: run the real code */
	const char *until_text;
	/* results */
	uint32_t ops, breaches;
	char breach[96];
	char said[4096];
	size_t said_len;
	/* input waiting for the UART */
	const uint8_t *input;
	size_t input_len;
	uint32_t seed;
	uint32_t config; /* NVMC */
	unsigned polls;
	bool cut, met, idle;
};

struct nrf51_machine *nrf51_new(void);
void nrf51_free(struct nrf51_machine *m);
/* Junk in RAM, the core at its reset vector. */
void nrf51_power_on(struct nrf51_machine *m);
enum nrf51_stop nrf51_run(struct nrf51_machine *m);

#endif
