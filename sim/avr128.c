#include "sim/avr128.h"

#include "core/sha256.h"
#include "sim/elf32.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <simavr/avr_eeprom.h>
#include <simavr/avr_flash.h>
#include <simavr/avr_uart.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_interrupts.h>
#include <simavr/sim_io.h>

/* Registers of the ATmega128 (data addresses). */
enum { MCUCSR = 0x54, MCUCR = 0x55, RAMPZ = 0x5b, SPMCSR = 0x68 };
enum { IVSEL = 1, SPMEN = 0, PGERS = 1, PGWRT = 2, RWWSRE = 4, RWWSB = 6 };
enum { EERE = 0, EEWE = 1, EEMWE = 2 };

/* simavr hands hooks an avr_t; the machine is found beside it. */
struct hooks {
	struct avr128_machine *m;
	avr_io_write_t eecr_was;
	void *eecr_param;
};

static uint32_t random_next(struct avr128_machine *m)
{
	m->seed = m->seed * 1664525u + 1013904223u;
	return m->seed >> 8;
}

static void breach(struct avr128_machine *m, const char *what)
{
	if (!m->breaches++)
		snprintf(m->breach, sizeof(m->breach), "%s at pc %05x", what, m->avr->pc);
}

/* True when power fails during this operation. */
static bool cut_now(struct avr128_machine *m)
{
	m->cut = ++m->ops == m->cut_at;
	return m->cut;
}

/* Bytes of the operation that are done: all, or what the tear leaves. */
static uint32_t done_bytes(struct avr128_machine *m, uint32_t n)
{
	if (!cut_now(m) || m->tear == AVR128_AFTER)
		return n;
	return m->tear == AVR128_BEFORE ? 0 : n / 2;
}

static uint8_t garble(struct avr128_machine *m, uint8_t from, uint8_t to)
{
	uint8_t mask = (uint8_t)random_next(m);

	return (uint8_t)((from & ~mask) | (to & mask));
}

static avr_cycle_count_t spm_done(avr_t *avr, avr_cycle_count_t when, void *param)
{
	(void)when;
	(void)param;
	avr->data[SPMCSR] &= (uint8_t) ~(1u << SPMEN);
	return 0;
}

static void spm_busy(struct avr128_machine *m)
{
	m->avr->data[SPMCSR] = (uint8_t)(1u << SPMEN |
					 1u << RWWSB); /* RWW section blocked until RWWSRE */
	avr_cycle_timer_register(m->avr, m->busy_spm, spm_done, m);
}

static void erase_page(struct avr128_machine *m, uint32_t page)
{
	uint8_t *p = m->flash + page;
	uint32_t n = done_bytes(m, AVR128_PAGE), i;

	memset(p, 0xff, n);
	if (m->cut && m->tear == AVR128_GARBLED)
		for (i = n; i < AVR128_PAGE; i++)
			p[i] = garble(m, p[i], 0xff);
}

static void write_page(struct avr128_machine *m, avr_flash_t *f, uint32_t page)
{
	uint32_t n = done_bytes(m, AVR128_PAGE), i;
	uint8_t *p = m->flash + page;

	for (i = 0; i < AVR128_PAGE; i++) {
		uint8_t want = (uint8_t)(f->tmppage[i / 2] >> (i % 2 ? 8 : 0));

		if ((p[i] & want) != want)
			breach(m, "page write without erase");
		want &= p[i];
		if (i < n)
			p[i] = want;
		else if (m->cut && m->tear == AVR128_GARBLED)
			p[i] = garble(m, p[i], want);
	}
	for (i = 0; i < AVR128_PAGE / 2; i++) {
		if (!f->tmppage_used[i])
			breach(m, "page write with words not filled");
		f->tmppage[i] = 0xffff;
		f->tmppage_used[i] = 0;
	}
}

/* The SPM instruction: replaces simavr's. */
static int flash_ioctl(avr_io_t *port, uint32_t ctl, void *param)
{
	avr_flash_t *f = (avr_flash_t *)port;
	struct hooks *h = port->avr->custom.data;
	struct avr128_machine *m = h->m;
	avr_t *avr = port->avr;
	uint32_t z = (uint32_t)avr->data[30] | (uint32_t)avr->data[31] << 8 |
		     (uint32_t)(avr->data[RAMPZ] & 1) << 16;
	uint32_t page = z & ~(AVR128_PAGE - 1);
	uint8_t mode = avr->data[SPMCSR];

	(void)param;
	if (ctl != AVR_IOCTL_FLASH_SPM)
		return -1;
	if (avr->pc < AVR128_BOOT) {
		breach(m, "SPM outside the boot section");
		return 0;
	}
	if (!(mode & 1u << SPMEN)) {
		breach(m, "SPM without SPMEN");
	} else if (mode & 1u << RWWSRE) {
		avr->data[SPMCSR] = 0;
	} else if (mode & (1u << PGERS | 1u << PGWRT)) {
		if (page >= AVR128_BOOT)
			breach(m, "SPM into the boot section");
		m->writes_at[page / AVR128_PAGE]++;
		if (mode & 1u << PGERS)
			erase_page(m, page);
		else
			write_page(m, f, page);
		spm_busy(m);
	} else {
		f->tmppage[z / 2 % (AVR128_PAGE / 2)] = (uint16_t)(avr->data[0] | avr->data[1]
											  << 8);
		f->tmppage_used[z / 2 % (AVR128_PAGE / 2)] = 1;
		avr->data[SPMCSR] &= (uint8_t) ~(1u << SPMEN);
	}
	return 0;
}

static avr_cycle_count_t eeprom_done(avr_t *avr, avr_cycle_count_t when, void *param)
{
	avr_eeprom_t *e = param;

	(void)when;
	avr->data[e->r_eecr] &= (uint8_t) ~(1u << EEWE);
	return 0;
}

static void write_eeprom(struct avr128_machine *m, uint32_t at, uint8_t value)
{
	uint8_t *p = m->eeprom + at;

	if (cut_now(m) && m->tear != AVR128_AFTER) {
		if (m->tear == AVR128_HALF) /* erased, not yet programmed */
			*p = 0xff;
		else if (m->tear == AVR128_GARBLED)
			*p = garble(m, *p, value);
		return;
	}
	*p = value;
}

/* EECR: a write needs EEMWE first, takes its time, and is an operation. */
static void eecr_write(avr_t *avr, avr_io_addr_t addr, uint8_t v, void *param)
{
	struct hooks *h = avr->custom.data;
	avr_eeprom_t *e = param;
	uint32_t at = ((uint32_t)avr->data[e->r_eearl] | (uint32_t)avr->data[e->r_eearh] << 8) &
		      (AVR128_EEPROM - 1);

	if (avr->data[addr] & 1u << EEWE) {
		breach(h->m, "EEPROM touched while busy");
		return;
	}
	if (v & 1u << EERE) {
		avr->data[e->r_eedr] = h->m->eeprom[at];
		v &= (uint8_t) ~(1u << EERE);
	}
	if (v & 1u << EEWE) {
		if (avr->data[addr] & 1u << EEMWE) {
			write_eeprom(h->m, at, avr->data[e->r_eedr]);
			avr_cycle_timer_register(avr, h->m->busy_eeprom, eeprom_done, e);
			avr->data[addr] = 1u << EEWE;
			return;
		}
		v &= (uint8_t) ~(1u << EEWE);
	}
	avr->data[addr] = v;
}

static void irq_moves(struct avr_irq_t *irq, uint32_t value, void *param)
{
	avr_t *avr = param;

	(void)irq;
	/* Called before the core jumps: simavr has set pc already when value is not 0. */
	if (value && avr->data[MCUCR] & 1u << IVSEL && avr->pc < 0x100)
		avr->pc += AVR128_BOOT;
}

static void uart_out(struct avr_irq_t *irq, uint32_t value, void *param)
{
	struct avr128_machine *m = param;

	(void)irq;
	if (m->said_len + 1 == sizeof(m->said)) {
		memmove(m->said, m->said + sizeof(m->said) / 2, sizeof(m->said) / 2);
		m->said_len -= sizeof(m->said) / 2;
	}
	m->said[m->said_len++] = (char)value;
	m->said[m->said_len] = 0;
}

static void uart_xon(struct avr_irq_t *irq, uint32_t value, void *param)
{
	(void)irq;
	(void)value;
	((struct avr128_machine *)param)->uart_ready = true;
}

static void uart_xoff(struct avr_irq_t *irq, uint32_t value, void *param)
{
	(void)irq;
	(void)value;
	((struct avr128_machine *)param)->uart_ready = false;
}

static avr_io_t *find_io(avr_t *avr, const char *kind)
{
	for (avr_io_t *io = avr->io_port; io; io = io->next)
		if (!strcmp(io->kind, kind))
			return io;
	return NULL;
}

static void hook_uart(struct avr128_machine *m)
{
	uint32_t flags = 0;

	avr_ioctl(m->avr, AVR_IOCTL_UART_SET_FLAGS('0'), &flags);
	avr_irq_register_notify(avr_io_getirq(m->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUTPUT),
				uart_out, m);
	avr_irq_register_notify(avr_io_getirq(m->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XON),
				uart_xon, m);
	avr_irq_register_notify(
		avr_io_getirq(m->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_OUT_XOFF), uart_xoff, m);
}

struct avr128_machine *avr128_new(uint32_t frequency)
{
	struct avr128_machine *m = calloc(1, sizeof(*m));
	struct hooks *h = calloc(1, sizeof(*h));
	avr_eeprom_t *e;
	avr_io_t *f;

	if (!m || !h || !(m->avr = avr_make_mcu_by_name("atmega128"))) {
		free(m);
		free(h);
		return NULL;
	}
	m->avr->log = 1; /* errors only */
	avr_init(m->avr);
	m->avr->frequency = frequency;
	m->avr->reset_pc = AVR128_BOOT;
	m->avr->codeend = AVR128_FLASH - 1;
	m->avr->custom.data = h;
	h->m = m;
	m->flash = m->avr->flash;
	memset(m->flash, 0xff, AVR128_FLASH);
	f = find_io(m->avr, "flash");
	e = (avr_eeprom_t *)find_io(m->avr, "eeprom");
	if (!f || !e) /* cannot be: every ATmega128 has both */
		abort();
	f->ioctl = flash_ioctl;
	m->eeprom = e->eeprom;
	m->eeprom_io = e;
	memset(m->eeprom, 0xff, AVR128_EEPROM);
	m->avr->io[AVR_DATA_TO_IO(e->r_eecr)].w.c = eecr_write;
	m->avr->io[AVR_DATA_TO_IO(e->r_eecr)].w.param = e;
	avr_irq_register_notify(avr_get_interrupt_irq(m->avr, AVR_INT_ANY) + AVR_INT_IRQ_RUNNING,
				irq_moves, m->avr);
	hook_uart(m);
	m->busy_spm = frequency / 250; /* 4 ms */
	m->busy_eeprom = (uint32_t)((uint64_t)frequency * 85 / 10000);
	m->seed = 1;
	return m;
}

void avr128_free(struct avr128_machine *m)
{
	if (!m)
		return;
	free(m->avr->custom.data);
	m->avr->custom.data = NULL;
	avr_terminate(m->avr);
	free(m->avr);
	free(m);
}

int avr128_load(struct avr128_machine *m, const char *path)
{
	return elf32_load(path, m->flash, AVR128_FLASH);
}

uint32_t avr128_symbol(const char *path, const char *name)
{
	return elf32_symbol(path, name);
}

void avr128_power_on(struct avr128_machine *m)
{
	avr_eeprom_t *e = m->eeprom_io;

	avr_reset(m->avr);
	m->avr->state = cpu_Running;
	for (uint32_t i = 0; i < 32; i++)
		m->avr->data[i] = (uint8_t)random_next(m);
	for (uint32_t i = 0x100; i < AVR128_RAM_END; i++)
		m->avr->data[i] = m->paint ? AVR128_PAINT : (uint8_t)random_next(m);
	m->avr->data[MCUCSR] = 1; /* PORF */
	m->avr->data[MCUCR] = 0;
	m->avr->data[SPMCSR] = 0;
	m->avr->data[e->r_eecr] = 0;
	m->avr->pc = AVR128_BOOT;
	m->ops = 0;
	m->cut = false;
	m->instructions = 0;
	m->said_len = 0;
	m->said[0] = 0;
	m->uart_ready = false;
}

/* The compression at its entry, by the host: r25:r24 state, r23:r22 block, then RET. */
static void native_sha(struct avr128_machine *m)
{
	uint8_t *d = m->avr->data;
	uint32_t state = (uint32_t)(d[24] | d[25] << 8), block = (uint32_t)(d[22] | d[23] << 8);
	uint32_t sp = (uint32_t)(d[0x5d] | d[0x5e] << 8), s[8];

	/* After a skipped instruction the pointers may be wild: then the real code shall run. */
	if (state + sizeof(s) > AVR128_RAM_END || block + MUE_SHA256_BLOCK > AVR128_RAM_END ||
	    sp + 3 > AVR128_RAM_END)
		return;
	memcpy(s, d + state, sizeof(s)); /* both are little endian */
	mue_sha256_compress(s, d + block);
	memcpy(d + state, s, sizeof(s));
	m->avr->pc = (uint32_t)(d[sp + 1] << 8 | d[sp + 2]) * 2;
	sp += 2;
	d[0x5d] = (uint8_t)sp;
	d[0x5e] = (uint8_t)(sp >> 8);
	m->avr->cycle += 30000;
	m->sha_done++;
}

static void feed_uart(struct avr128_machine *m)
{
	if (!m->input_len || !m->uart_ready)
		return;
	avr_raise_irq(avr_io_getirq(m->avr, AVR_IOCTL_UART_GETIRQ('0'), UART_IRQ_INPUT), *m->input);
	m->input++;
	m->input_len--;
}

static void skip_instruction(struct avr128_machine *m)
{
	uint16_t op = (uint16_t)(m->flash[m->avr->pc] | m->flash[m->avr->pc + 1] << 8);
	bool two = (op & 0xfe0e) == 0x940c || (op & 0xfe0e) == 0x940e || (op & 0xfc0f) == 0x9000;

	m->avr->pc += two ? 4 : 2;
}

static void note_pc(struct avr128_machine *m)
{
	uint32_t word = m->avr->pc / 2 % (AVR128_FLASH / 2);

	if (!m->first_at[word])
		m->first_at[word] = (uint32_t)m->instructions;
	m->last_at[word] = (uint32_t)m->instructions;
}

enum avr128_stop avr128_run(struct avr128_machine *m, uint64_t cycles)
{
	uint64_t end = m->avr->cycle + cycles;
	size_t looked = m->said_len;

	while (m->avr->cycle < end) {
		if (m->native_sha && m->avr->pc == m->native_sha)
			native_sha(m);
		if (m->until_pc && m->avr->pc == m->until_pc)
			return AVR128_REACHED;
		m->instructions++;
		if (m->first_at)
			note_pc(m);
		if (m->instructions == m->skip_at)
			skip_instruction(m);
		avr_run(m->avr);
		if (m->cut)
			return AVR128_CUT;
		if (m->avr->state == cpu_Crashed || m->avr->state == cpu_Done)
			return AVR128_CRASHED;
		if (m->said_len != looked) {
			looked = m->said_len;
			if (m->until_text && strstr(m->said, m->until_text))
				return AVR128_SAID;
		}
		feed_uart(m);
	}
	return AVR128_CYCLES;
}
