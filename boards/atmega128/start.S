; Reset, the vectors that serve slot B, and the service's entry.  Boot section of the ATmega128.
;
; The ATmega128 has two vector bases: 0, which is slot A, and the boot section.  Slot B sets IVSEL
; and gets its interrupts through the jumps below, 3 cycles late.  The bootloader itself polls.

#include <avr/io.h>

	.section .vectors, "ax", @progbits
	.global	_start
; Twice: one skipped instruction must not fall through to slot B.
_start:	rjmp	reset
	rjmp	reset
	.set	vector, 1
	.rept	34
	jmp	0xf000 + 4 * vector
	.set	vector, vector + 1
	.endr
; 0x1e08c: the service for applications, int8_t (*)(uint8_t service, struct mue_boot_call *call)
	jmp	mue_boot_service

	.section .text.reset, "ax", @progbits
reset:	clr	r1
	out	_SFR_IO_ADDR(SREG), r1
	ldi	r28, lo8(RAMEND)
	ldi	r29, hi8(RAMEND)
	out	_SFR_IO_ADDR(SPH), r29
	out	_SFR_IO_ADDR(SPL), r28
	; Two seconds of watchdog from here on.
	wdr
	ldi	r16, _BV(WDCE) | _BV(WDE)
	ldi	r17, _BV(WDE) | 7
	out	_SFR_IO_ADDR(WDTCR), r16
	out	_SFR_IO_ADDR(WDTCR), r17
	; .data from flash above 64 kB
	ldi	r26, lo8(__data_start)
	ldi	r27, hi8(__data_start)
	ldi	r30, lo8(__data_load)
	ldi	r31, hi8(__data_load)
	ldi	r16, hh8(__data_load)
	out	_SFR_IO_ADDR(RAMPZ), r16
	ldi	r17, hi8(__data_end)
1:	elpm	r0, Z+
	st	X+, r0
	cpi	r26, lo8(__data_end)
	cpc	r27, r17
	brne	1b
	jmp	mue_boot
