/*
 * bootname.h - names of boot reasons and slots, for logs, reports and the environment.
 */
#ifndef MUE_HOST_BOOTNAME_H
#define MUE_HOST_BOOTNAME_H

/* "trial" for MUE_BOOT_TRIAL; "?" for a number that is no reason.  Static storage. */
const char *mue_boot_reason_name(int reason);

/* "a", "b", "factory", "recovery", "none".  Static storage. */
const char *mue_slot_name(int slot);

#endif
