import Glibc

extension Accelerator {
    /// Throws where the host's virtual machines are not there for this user.
    static func requireKVM() throws(LaunchFailure) {
        guard access("/dev/kvm", R_OK | W_OK) != 0 else { return }
        let reason = lastErrorText()
        let advice =
            errno == EACCES
            ? "join its group, as adduser NAME kvm does"
            : "load the kernel's module kvm_intel or kvm_amd"
        throw LaunchFailure("cannot use /dev/kvm: \(reason); \(advice), or give --accel tcg")
    }

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
