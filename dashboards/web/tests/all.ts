// Every test beside this file.
import.meta.glob(["./*.ts", "!./all.ts"], { eager: true });
