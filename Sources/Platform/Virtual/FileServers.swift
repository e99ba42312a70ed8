import Platform
import Virtio

/// Servers of the host's files as the contract has them: one request at a time, which the kernel waits
/// for.
enum FileServers {
    private struct Server {
        var device: NinePDevice<Transport>
        /// A request did not end: its answer may still come, so nothing more is asked.
        var isStuck = false
    }

    nonisolated(unsafe) private static var servers =
        InlineArray<16, UnsafeMutablePointer<Server>?>(repeating: nil)
    nonisolated(unsafe) private static var count = 0

    private static var messageLimit: Int { 64 << 10 }
    /// Nanoseconds after which a request is taken not to end.
    private static var patience: UInt64 { 30_000_000_000 }

    // Errors of the contract.
    private static var failed: Int64 { -5 }
    private static var noDevice: Int64 { -19 }

    /// The number of a new server; nil when it cannot be used.
    static func start(_ transport: Transport) -> Int? {
        guard count < servers.count,
            let memory = MachineMemory.reserveShared(MemoryLayout<Server>.size),
            let device = try? NinePDevice(
                transport,
                messageLimit: messageLimit,
                { MachineMemory.reserveShared($0) }
            )
        else { return nil }
        let server = memory.pointer.bindMemory(to: Server.self, capacity: 1)
        server.initialize(to: Server(device: device))
        servers[count] = server
        count += 1
        return count - 1
    }

    /// Who waits for the answer takes it.
    static func takeInterrupt(_ number: Int) {
        servers[number]?.pointee.device.acknowledgeInterrupt()
    }

    private static func server(_ number: UInt32) -> UnsafeMutablePointer<Server>? {
        number < UInt32(count) ? servers[Int(number)] : nil
    }

    // MARK: Operations of the contract

    static func describe(
        _ number: UInt32,
        _ description: UnsafeMutablePointer<platform_file_server>
    ) -> Int64 {
        guard let server = server(number) else { return noDevice }
        let (name, request) = (server.pointee.device.tag, server.pointee.device.outgoing)
        description.pointee = platform_file_server(
            name: UnsafePointer(name.pointer.assumingMemoryBound(to: UInt8.self)),
            name_length: UInt64(name.size),
            request: request.baseAddress!,
            message_limit: UInt64(request.count)
        )
        return 0
    }

    static func ask(_ number: UInt32, _ answer: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int64 {
        guard let server = server(number) else { return noDevice }
        guard !server.pointee.isStuck, server.pointee.device.ask() else { return failed }
        var bytes: UnsafeRawBufferPointer?
        let hasEnded = MachineTime.wait(limit: patience) {
            do throws(QueueFault) { bytes = try server.pointee.device.takeAnswer() } catch {
                server.pointee.isStuck = true
            }
            return bytes != nil || server.pointee.isStuck
        }
        if !hasEnded { server.pointee.isStuck = true }
        guard let bytes, !bytes.isEmpty else { return failed }
        answer.pointee = bytes.baseAddress
        return Int64(bytes.count)
    }
}
