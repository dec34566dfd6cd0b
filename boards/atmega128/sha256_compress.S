; SHA-256 compression (FIPS 180-4, section 6.2.2) for AVR: void mue_sha256_compress(uint32_t state[8],
; const uint8_t block[64]).  Replaces the weak C function of core/sha256.c: a third of its time.
;
; The working variables a..h stand at Y+0..Y+31 and Y moves down by one word a round, so that nothing
; is copied: the new a goes below the old one, b..d and f..h are the old a..c and e..g in place.
; Sums of rotations are nested, for example S0 = rotr2(x ^ rotr11(x ^ rotr9(x))), so that bytes move
; for free and few single bits remain.  Scratch memory is static: not reentrant.
;
; Registers: T r18..r21, V r22..r25 (operand), A r4..r7, r16 count, r0 r1 scratch.

	.section .bss
sha_w:	.skip 64 * 4
sha_v:	.skip (64 + 8) * 4

	.section .rodata
sha_k:	.long 0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
	.long 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
	.long 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
	.long 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
	.long 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
	.long 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
	.long 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
	.long 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2

	.section .text.mue_sha256_compress, "ax", @progbits

; T = V
copy:	movw	r18, r22
	movw	r20, r24
	ret

; T ^= V
xorv:	eor	r18, r22
	eor	r19, r23
	eor	r20, r24
	eor	r21, r25
	ret

; T = rotr(T, 16)
swap:	movw	r0, r18
	movw	r18, r20
	movw	r20, r0
	ret

; T = rotr(T, 8)
right8:	mov	r0, r18
	mov	r18, r19
	mov	r19, r20
	mov	r20, r21
	mov	r21, r0
	ret

; T = rotr(T, 3), 2, 1
right3:	rcall	right1
right2:	rcall	right1
right1:	bst	r18, 0
	lsr	r21
	ror	r20
	ror	r19
	ror	r18
	bld	r21, 7
	ret

; T = rotl(T, 3), 2, 1
left3:	rcall	left1
left2:	rcall	left1
left1:	bst	r21, 7
	lsl	r18
	rol	r19
	rol	r20
	rol	r21
	bld	r18, 0
	ret

; V >>= 1
shift1:	lsr	r25
	ror	r24
	ror	r23
	ror	r22
	ret

; T = S1(V) = rotr6(V ^ rotr5(V ^ rotr14(V)))
sum1:	rcall	copy
	rcall	swap
	rcall	left2
	rcall	xorv
	rcall	right8
	rcall	left3
	rcall	xorv
	rcall	right8
	rjmp	left2

; T = S0(V) = rotr2(V ^ rotr11(V ^ rotr9(V)))
sum0:	rcall	copy
	rcall	right8
	rcall	right1
	rcall	xorv
	rcall	right8
	rcall	right3
	rcall	xorv
	rjmp	right2

; T = s0(V) = rotr7(V ^ rotr11(V)) ^ V >> 3
sigma0:	rcall	copy
	rcall	right8
	rcall	right3
	rcall	xorv
	rcall	right8
	rcall	left1
	rcall	shift1
	rcall	shift1
	rcall	shift1
	rjmp	xorv

; T = s1(V) = rotr17(V ^ rotr2(V)) ^ V >> 10
sigma1:	rcall	copy
	rcall	right2
	rcall	xorv
	rcall	swap
	rcall	right1
	mov	r22, r23
	mov	r23, r24
	mov	r24, r25
	clr	r25
	rcall	shift1
	rcall	shift1
	rjmp	xorv

; V = word at Y + off
.macro	loadv off
	ldd	r22, Y + \off
	ldd	r23, Y + \off + 1
	ldd	r24, Y + \off + 2
	ldd	r25, Y + \off + 3
.endm

; T += word at Y + off
.macro	addy off
	ldd	r0, Y + \off
	add	r18, r0
	ldd	r0, Y + \off + 1
	adc	r19, r0
	ldd	r0, Y + \off + 2
	adc	r20, r0
	ldd	r0, Y + \off + 3
	adc	r21, r0
.endm

; T += word at X+ or Z+
.macro	addp pointer
	ld	r0, \pointer
	add	r18, r0
	ld	r0, \pointer
	adc	r19, r0
	ld	r0, \pointer
	adc	r20, r0
	ld	r0, \pointer
	adc	r21, r0
.endm

; T += A
adda:	add	r18, r4
	adc	r19, r5
	adc	r20, r6
	adc	r21, r7
	ret

	.global	mue_sha256_compress
	.type	mue_sha256_compress, @function
mue_sha256_compress:
	push	r4
	push	r5
	push	r6
	push	r7
	push	r16
	push	r28
	push	r29
	push	r24			; state, for the end
	push	r25
	; W[0..15]: the block's big-endian words
	movw	r30, r22
	ldi	r26, lo8(sha_w)
	ldi	r27, hi8(sha_w)
	movw	r28, r26
	ldi	r16, 16
1:	ldd	r0, Z + 3
	st	X+, r0
	ldd	r0, Z + 2
	st	X+, r0
	ldd	r0, Z + 1
	st	X+, r0
	ld	r0, Z
	st	X+, r0
	adiw	r30, 4
	dec	r16
	brne	1b
	; W[t] = s1(W[t-2]) + W[t-7] + s0(W[t-15]) + W[t-16]; Y = &W[t-16], X = &W[t]
	ldi	r16, 48
2:	loadv	56
	rcall	sigma1
	addy	36
	addy	0
	movw	r4, r18
	movw	r6, r20
	loadv	4
	rcall	sigma0
	rcall	adda
	st	X+, r18
	st	X+, r19
	st	X+, r20
	st	X+, r21
	adiw	r28, 4
	dec	r16
	brne	2b
	; a..h = state
	pop	r31
	pop	r30
	push	r30
	push	r31
	ldi	r28, lo8(sha_v + 256)
	ldi	r29, hi8(sha_v + 256)
	movw	r26, r28
	ldi	r16, 32
3:	ld	r0, Z+
	st	X+, r0
	dec	r16
	brne	3b
	ldi	r26, lo8(sha_w)
	ldi	r27, hi8(sha_w)
	ldi	r30, lo8(sha_k)
	ldi	r31, hi8(sha_k)
	ldi	r16, 64
4:	; A = T1 = h + S1(e) + Ch(e, f, g) + K[t] + W[t]; Ch = g ^ (e & (f ^ g))
	loadv	16
	rcall	sum1
	addy	28
	addp	Z+
	addp	X+
	ldd	r0, Y + 20
	ldd	r1, Y + 24
	eor	r0, r1
	and	r0, r22
	eor	r0, r1
	add	r18, r0
	ldd	r0, Y + 21
	ldd	r1, Y + 25
	eor	r0, r1
	and	r0, r23
	eor	r0, r1
	adc	r19, r0
	ldd	r0, Y + 22
	ldd	r1, Y + 26
	eor	r0, r1
	and	r0, r24
	eor	r0, r1
	adc	r20, r0
	ldd	r0, Y + 23
	ldd	r1, Y + 27
	eor	r0, r1
	and	r0, r25
	eor	r0, r1
	adc	r21, r0
	movw	r4, r18
	movw	r6, r20
	; e = d + T1, where d stands
	addy	12
	std	Y + 12, r18
	std	Y + 13, r19
	std	Y + 14, r20
	std	Y + 15, r21
	; a = T1 + S0(a) + Maj(a, b, c); Maj = b ^ ((a ^ b) & (b ^ c))
	loadv	0
	rcall	sum0
	rcall	adda
	ldd	r0, Y + 4
	ldd	r1, Y + 8
	eor	r1, r0
	eor	r22, r0
	and	r22, r1
	eor	r22, r0
	add	r18, r22
	ldd	r0, Y + 5
	ldd	r1, Y + 9
	eor	r1, r0
	eor	r23, r0
	and	r23, r1
	eor	r23, r0
	adc	r19, r23
	ldd	r0, Y + 6
	ldd	r1, Y + 10
	eor	r1, r0
	eor	r24, r0
	and	r24, r1
	eor	r24, r0
	adc	r20, r24
	ldd	r0, Y + 7
	ldd	r1, Y + 11
	eor	r1, r0
	eor	r25, r0
	and	r25, r1
	eor	r25, r0
	adc	r21, r25
	sbiw	r28, 4
	st	Y, r18
	std	Y + 1, r19
	std	Y + 2, r20
	std	Y + 3, r21
	dec	r16
	breq	5f
	rjmp	4b
5:	; state += a..h
	pop	r31
	pop	r30
	ldi	r16, 8
6:	ld	r18, Z
	ldd	r19, Z + 1
	ldd	r20, Z + 2
	ldd	r21, Z + 3
	addp	Y+
	st	Z+, r18
	st	Z+, r19
	st	Z+, r20
	st	Z+, r21
	dec	r16
	brne	6b
	clr	r1
	pop	r29
	pop	r28
	pop	r16
	pop	r7
	pop	r6
	pop	r5
	pop	r4
	ret
