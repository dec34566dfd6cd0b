/*
 * size.h - a word to the compilers about code size.
 *
 * Functions merged into one large stack frame cost an AVR up to a tenth more code: there every
 * variable beyond 63 bytes of the frame takes four instructions more.  Where that was measured, the
 * function says so.
 */
#ifndef MUE_CORE_SIZE_H
#define MUE_CORE_SIZE_H

#define MUE_NOINLINE __attribute__((noinline))

#endif
