#include "sim/nrf51.h"

#include "core/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicorn/unicorn.h>

#define RAM_BASE   0x20000000u
#define IDLE_POLLS 200      /* of RXDRDY without input: it waits */
#define RUN_US     20000000 /* more than any boot takes */

enum { UART = 0x40002000, WDT = 0x40010000, NVMC = 0x4001e000 };

static uint32_t random_next(struct nrf51_machine *m)
{
	m->seed = m->seed * 1664525u + 1013904223u;
	return m->seed >> 8;
}

static void breach(struct nrf51_machine *m, const char *what, uint32_t at)
{
	if (!m->breaches++)
		snprintf(m->breach, sizeof(m->breach), "%s at %05x", what, at);
}

static bool cut_now(struct nrf51_machine *m)
{
	m->cut = ++m->ops == m->cut_at;
	return m->cut;
}

static uint8_t garble(struct nrf51_machine *m, uint8_t from, uint8_t to)
{
	uint8_t mask = (uint8_t)random_next(m);

	return (uint8_t)((from & ~mask) | (to & mask));
}

/* `n` bytes become `to` (an erase when NULL), or what the tear leaves of that. */
static void change(struct nrf51_machine *m, uint32_t at, const uint8_t *to, uint32_t n)
{
	uint32_t done = n, i;

	if (cut_now(m) && m->tear != NRF51_AFTER)
		done = m->tear == NRF51_BEFORE ? 0 : n / 2;
	for (i = 0; i < n; i++) {
		uint8_t *p = m->flash + at + i, want = to ? *p & to[i] : 0xff;

		if (i < done)
			*p = want;
		else if (m->cut && m->tear == NRF51_GARBLED)
			*p = garble(m, *p, want);
	}
}

static void erase(struct nrf51_machine *m, uint32_t at)
{
	at &= ~(NRF51_PAGE - 1);
	if (m->config != 2 || at >= NRF51_FLASH)
		breach(m, "page erase not enabled or outside", at);
	else
		change(m, at, NULL, NRF51_PAGE);
}

static void write_word(struct nrf51_machine *m, uint32_t at, uint32_t value)
{
	uint8_t to[4];
	uint32_t old;

	memcpy(to, &value, 4);
	memcpy(&old, m->flash + at, 4);
	if (m->config != 1 || at % 4)
		breach(m, "write not enabled or not a word", at);
	else if (old != 0xffffffff)
		breach(m, "write to a word not erased", at);
	else
		change(m, at, to, 4);
}

static void stop(struct nrf51_machine *m)
{
	uc_emu_stop(m->uc);
}

static void sent(struct nrf51_machine *m, uint8_t byte)
{
	if (m->said_len + 1 == sizeof(m->said))
		m->said_len = 0;
	m->said[m->said_len++] = (char)byte;
	m->said[m->said_len] = 0;
	if (m->until_text && m->said_len >= strlen(m->until_text) &&
	    !strcmp(m->said + m->said_len - strlen(m->until_text), m->until_text))
		m->met = true; /* and stops at the next poll: a store would be done again */
}

static uint64_t uart_read(uc_engine *uc, uint64_t offset, unsigned size, void *ctx)
{
	struct nrf51_machine *m = ctx;

	(void)uc;
	(void)size;
	if (offset == 0x11c) /* TXDRDY */
		return 1;
	if (offset == 0x108) { /* RXDRDY */
		if (m->met)
			stop(m);
		if (!m->input_len && ++m->polls > IDLE_POLLS) {
			m->idle = true;
			stop(m);
		}
		return m->input_len > 0;
	}
	if (offset == 0x518 && m->input_len) {
		m->polls = 0;
		m->input_len--;
		return *m->input++;
	}
	return 0;
}

static void uart_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *ctx)
{
	struct nrf51_machine *m = ctx;

	(void)uc;
	(void)size;
	if (offset == 0x51c && !m->cut)
		sent(m, (uint8_t)value);
}

static uint64_t nvmc_read(uc_engine *uc, uint64_t offset, unsigned size, void *ctx)
{
	(void)uc;
	(void)size;
	(void)ctx;
	return offset == 0x400; /* READY */
}

static void nvmc_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *ctx)
{
	struct nrf51_machine *m = ctx;

	(void)uc;
	(void)size;
	if (m->cut)
		return;
	if (offset == 0x504)
		m->config = (uint32_t)value;
	if (offset == 0x508)
		erase(m, (uint32_t)value);
	if (m->cut)
		stop(m);
	else if (offset == 0x508)
		memcpy(m->view + (value & ~(uint64_t)(NRF51_PAGE - 1)) % NRF51_FLASH,
		       m->flash + (value & ~(uint64_t)(NRF51_PAGE - 1)) % NRF51_FLASH, NRF51_PAGE);
}

static uint64_t nothing_read(uc_engine *uc, uint64_t offset, unsigned size, void *ctx)
{
	(void)uc;
	(void)offset;
	(void)size;
	(void)ctx;
	return 0;
}

static void nothing_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *ctx)
{
	(void)uc;
	(void)offset;
	(void)size;
	(void)value;
	(void)ctx;
}

/*
 * A store to flash.  `flash` is the truth; Unicorn puts the value into `view`, which differs from
 * it only after a breach or a cut.
 */
static void flash_store(uc_engine *uc, uc_mem_type type, uint64_t at, int size, int64_t value,
			void *ctx)
{
	struct nrf51_machine *m = ctx;

	(void)uc;
	(void)type;
	if (m->cut)
		return;
	if (size == 4)
		write_word(m, (uint32_t)at, (uint32_t)value);
	else
		breach(m, "store of less than a word", (uint32_t)at);
	if (m->cut)
		stop(m);
}

/* The compression at its entry, by the host. */
static void native_sha(uc_engine *uc, uint64_t at, uint32_t size, void *ctx)
{
	uint32_t state, block, lr, s[8];
	uint8_t b[MUE_SHA256_BLOCK];

	(void)at;
	(void)size;
	(void)ctx;
	uc_reg_read(uc, UC_ARM_REG_R0, &state);
	uc_reg_read(uc, UC_ARM_REG_R1, &block);
	uc_reg_read(uc, UC_ARM_REG_LR, &lr);
	if (uc_mem_read(uc, state, s, sizeof(s)) || uc_mem_read(uc, block, b, sizeof(b)))
		return;
	mue_sha256_compress(s, b);
	uc_mem_write(uc, state, s, sizeof(s));
	uc_reg_write(uc, UC_ARM_REG_PC, &lr);
}

/* Unicorn takes functions as void pointers, which ISO C leaves to the machine. */
static void *hook_of(void (*f)(void))
{
	void *p;

	memcpy(&p, &f, sizeof(p));
	return p;
}

static bool make_core(struct nrf51_machine *m)
{
	static const uint64_t quiet[] = { WDT };
	uc_engine *uc;
	uc_hook hook;
	bool ok;

	if (m->uc)
		uc_close(m->uc);
	m->uc = NULL;
	if (uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &uc) != UC_ERR_OK)
		return false;
	m->uc = uc;
	uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_M0);
	ok = !uc_mem_map_ptr(uc, 0, NRF51_FLASH, UC_PROT_ALL, m->view) &&
	     !uc_mem_map_ptr(uc, RAM_BASE, NRF51_RAM, UC_PROT_READ | UC_PROT_WRITE, m->ram) &&
	     !uc_mmio_map(uc, UART, 0x1000, uart_read, m, uart_write, m) &&
	     !uc_mmio_map(uc, NVMC, 0x1000, nvmc_read, m, nvmc_write, m) &&
	     !uc_mmio_map(uc, quiet[0], 0x1000, nothing_read, m, nothing_write, m) &&
	     !uc_hook_add(uc, &hook, UC_HOOK_MEM_WRITE, hook_of((void (*)(void))flash_store), m, 0,
			  NRF51_FLASH - 1);
	if (ok && m->native_sha)
		ok = !uc_hook_add(uc, &hook, UC_HOOK_CODE, hook_of((void (*)(void))native_sha), m,
				  m->native_sha, m->native_sha);
	return ok;
}

struct nrf51_machine *nrf51_new(void)
{
	struct nrf51_machine *m = aligned_alloc(4096, sizeof(*m));

	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	memset(m->flash, 0xff, sizeof(m->flash));
	m->seed = 1;
	return m;
}

void nrf51_free(struct nrf51_machine *m)
{
	if (m && m->uc)
		uc_close(m->uc);
	free(m);
}

void nrf51_power_on(struct nrf51_machine *m)
{
	uint32_t vector[2];

	/* A new core: Unicorn would run its translations of what flash held before. */
	if (!make_core(m))
		abort();
	for (uint32_t i = 0; i < NRF51_RAM; i++)
		m->ram[i] = (uint8_t)random_next(m);
	memcpy(vector, m->flash, sizeof(vector));
	uc_reg_write(m->uc, UC_ARM_REG_SP, &vector[0]);
	uc_reg_write(m->uc, UC_ARM_REG_PC, &vector[1]);
	m->ops = 0;
	m->config = 0;
	m->cut = m->met = false;
	memcpy(m->view, m->flash, NRF51_FLASH);
	m->said_len = 0;
	m->said[0] = 0;
	m->input_len = 0;
}

enum nrf51_stop nrf51_run(struct nrf51_machine *m)
{
	uint32_t pc;

	m->met = m->idle = false;
	m->polls = 0;
	uc_reg_read(m->uc, UC_ARM_REG_PC, &pc);
	uc_emu_start(m->uc, pc | 1, 0xfffffffe, RUN_US, 0);
	if (m->cut)
		return NRF51_CUT;
	if (m->met)
		return NRF51_SAID;
	return m->idle ? NRF51_IDLE : NRF51_FAULT;
}
