import Glibc

/// A TCP port of this host for gdb.
enum DebuggerPort {
    /// The wanted port, or any that is free. QEMU binds it a moment later; should somebody else be
    /// quicker, QEMU says so.
    static func find(_ wanted: UInt16?) throws(LaunchFailure) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw LaunchFailure("cannot find a port for gdb: \(lastErrorText())")
        }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = (wanted ?? 0).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutableBytes(of: &address) { bytes -> Int32 in
            let pointer = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            guard bind(descriptor, pointer, size) == 0 else { return -1 }
            return getsockname(descriptor, pointer, &size)
        }
        guard result == 0 else {
            throw LaunchFailure(
                "cannot wait for gdb on port \(wanted ?? 0): \(lastErrorText()); "
                    + "give another with --gdb PORT, or --gdb alone"
            )
        }
        return UInt16(bigEndian: address.sin_port)
    }
}
