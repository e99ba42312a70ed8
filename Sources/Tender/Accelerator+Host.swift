import Glibc

extension Accelerator {
    /// What the host can do. A `/dev/kvm` alone proves nothing: without `vmx` or `svm` in the
    /// processor's flags no guest starts there.
    static func ofHost() -> Accelerator {
        guard access("/dev/kvm", R_OK | W_OK) == 0 else { return .tcg }
        let descriptor = openFile("/proc/cpuinfo", O_RDONLY)
        guard descriptor >= 0 else { return .tcg }
        defer { close(descriptor) }
        let text = String(decoding: readAll(descriptor) ?? [], as: UTF8.self)
        let flags = text.split(separator: "\n").first { $0.hasPrefix("flags") }
        let words = flags?.split(separator: " ") ?? []
        return words.contains("vmx") || words.contains("svm") ? .kvm : .tcg
    }
}
