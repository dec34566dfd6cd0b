/*
 * memory.h - a small agent stays small.
 */
#ifndef MUE_AGENT_MEMORY_H
#define MUE_AGENT_MEMORY_H

/*
 * Gives back the pages of program and libraries that start-up touched (relocations, constructors of
 * libraries that libcurl brings and we never call); what is needed again comes back from the file.
 * Only read-only file mappings are touched.  Advice: it cannot fail.
 */
void mue_memory_trim(void);

#endif
