# The vDSO as data of the kernel: tools/link-kernel defines the section's content.

#ifdef UNIRUN_GUEST
    .section .rodata.vdso_bounds, "a"
    .balign 8
    .globl vdso_image_bounds
vdso_image_bounds:
    .quad vdso_image, vdso_image_end
#endif

    .section .note.GNU-stack, "", @progbits
