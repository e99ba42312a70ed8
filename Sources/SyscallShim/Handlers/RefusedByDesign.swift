/// Calls that are refused by design, as a kernel refuses them that was built without what they are for; and
/// those that Linux itself has given up. Each has the error that its manual page documents.
let refusedByDesignRows: InlineArray<_, Row> = [
    // Modules and other kernels: there is one kernel, and it is whole.
    Row(refused: 174, "create_module", note: "gone from Linux since 2.6"),
    Row(refused: 175, "init_module", note: "there are no kernel modules"),
    Row(refused: 176, "delete_module", note: "there are no kernel modules"),
    Row(refused: 177, "get_kernel_syms", note: "gone from Linux since 2.6"),
    Row(refused: 178, "query_module", note: "gone from Linux since 2.6"),
    Row(refused: 246, "kexec_load", note: "no other kernel can be started"),
    Row(refused: 313, "finit_module", note: "there are no kernel modules"),
    Row(refused: 320, "kexec_file_load", note: "no other kernel can be started"),

    // What Linux has given up, or never had.
    Row(refused: 134, "uselib", note: "gone from Linux"),
    Row(refused: 156, "_sysctl", note: "gone from Linux since 5.5; /proc/sys has it"),
    Row(refused: 180, "nfsservctl", note: "gone from Linux since 3.1"),
    Row(refused: 181, "getpmsg", note: "never in Linux"),
    Row(refused: 182, "putpmsg", note: "never in Linux"),
    Row(refused: 183, "afs_syscall", note: "never in Linux"),
    Row(refused: 184, "tuxcall", note: "never in Linux"),
    Row(refused: 185, "security", note: "never in Linux"),
    Row(refused: 205, "set_thread_area", note: "not for 64-bit programs"),
    Row(refused: 211, "get_thread_area", note: "not for 64-bit programs"),
    Row(refused: 212, "lookup_dcookie", note: "gone from Linux since 6.7"),
    Row(refused: 214, "epoll_ctl_old", note: "never in Linux"),
    Row(refused: 215, "epoll_wait_old", note: "never in Linux"),
    Row(refused: 236, "vserver", note: "never in Linux"),

    // The processor and the machine: program and kernel share one address space, and in a machine one ring.
    Row(refused: 154, "modify_ldt", note: "there are no 16-bit segments"),
    Row(refused: 172, "iopl", note: "no ports are given to programs"),
    Row(refused: 173, "ioperm", note: "no ports are given to programs"),

    // What a kernel may be built without.
    Row(refused: 163, "acct", note: "no accounting of processes"),
    Row(refused: 167, "swapon", note: "there is no swap space"),
    Row(refused: 168, "swapoff", note: "there is no swap space"),
    Row(refused: 179, "quotactl", note: "no file system has quotas"),
    Row(refused: 248, "add_key", note: "there are no keyrings"),
    Row(refused: 249, "request_key", note: "there are no keyrings"),
    Row(refused: 250, "keyctl", note: "there are no keyrings"),
    Row(refused: 298, "perf_event_open", note: "there are no performance events"),
    Row(refused: 300, "fanotify_init", note: "inotify tells of files"),
    Row(refused: 301, "fanotify_mark", note: "inotify tells of files"),
    Row(refused: 321, "bpf", note: "programs are not run in the kernel"),
    Row(refused: 443, "quotactl_fd", note: "no file system has quotas"),
    Row(
        refused: 444,
        "landlock_create_ruleset",
        note: "the machine, or the sandbox, is the boundary"
    ),
    Row(refused: 445, "landlock_add_rule", note: "the machine, or the sandbox, is the boundary"),
    Row(
        refused: 446,
        "landlock_restrict_self",
        note: "the machine, or the sandbox, is the boundary"
    ),
    Row(refused: 447, "memfd_secret", note: "the kernel sees all memory of its programs"),
]
