import Glibc

/// The children of this process: the kernel's, one for each address space (docs/adr/0018).
enum ChildProcesses {
    /// As proc_pid_task(5) has them; none where the host does not tell.
    static var all: [pid_t] {
        let descriptor = openFile("/proc/thread-self/children", O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let text = String(decoding: readAll(descriptor) ?? [], as: UTF8.self)
        return text.split(separator: " ").compactMap { pid_t($0) }
    }

    /// Ends those that are left, and those that they make meanwhile, and waits until they are gone.
    static func endAll() {
        while true {
            let children = all
            guard !children.isEmpty else { return }
            for child in children { kill(child, SIGKILL) }
            for child in children {
                while waitpid(child, nil, 0) < 0, errno == EINTR {}
            }
        }
    }
}
