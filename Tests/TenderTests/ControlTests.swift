import Foundation
import LaunchRecord
import Testing

@testable import Tender

/// What the kernel may ask on its control socket.
struct ControlTests {
    /// The answer of a server in this process.
    private func answer(
        _ operation: UInt32,
        _ descriptor: Int32,
        _ argument: UInt64,
        onStop: @escaping (Int32) -> Void = { _ in }
    ) -> Int64 {
        var server = ControlServer(stopSelf: onStop)
        var message = [UInt8](repeating: 0, count: ControlMessage.encodedSize)
        return message.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: operation, toByteOffset: 0, as: UInt32.self)
            bytes.storeBytes(of: descriptor, toByteOffset: 4, as: Int32.self)
            bytes.storeBytes(of: argument, toByteOffset: 8, as: UInt64.self)
            server.answer(bytes)
            return bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self)
        }
    }

    @Test func onlyTheStandardStreamsCanBeNamed() {
        let operations: [ControlMessage.Operation] = [
            .inputOutputControl, .seek, .truncate, .synchronize, .status,
        ]
        for operation in operations {
            for descriptor: Int32 in [-1, 3, 4, 5, 6, .max, .min] {
                #expect(answer(operation.rawValue, descriptor, 0) == -Int64(EPERM))
            }
        }
    }

    @Test func unknownOperationsAndRequestsAreRefused() {
        for operation: UInt32 in [0, 8, .max] { #expect(answer(operation, 0, 0) == -Int64(EPERM)) }
        let ioctl = ControlMessage.Operation.inputOutputControl.rawValue
        // TIOCSTI, TIOCSCTTY, TIOCNOTTY, TIOCLINUX, TIOCCONS
        for request: UInt64 in [0x5412, 0x540e, 0x5422, 0x541c, 0x541d, 0, .max] {
            #expect(answer(ioctl, 0, request) == -Int64(EPERM))
        }
    }

    @Test func onlyStopSignalsStop() {
        var stopped: [Int32] = []
        let stop = ControlMessage.Operation.stop.rawValue
        for signal in [0, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU] {
            #expect(answer(stop, 0, UInt64(signal)) { stopped.append($0) } == 0)
        }
        #expect(stopped == [SIGTSTP, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU])
        #expect(answer(stop, 0, UInt64(SIGKILL)) { stopped.append($0) } == -Int64(EINVAL))
        #expect(stopped.count == 5)
    }

    @Test func sitesAreKeptUpToALimit() {
        var server = ControlServer(stopSelf: { _ in })
        func tell(_ count: UInt64) -> Int64 {
            var message = [UInt8](repeating: 1, count: ControlMessage.encodedSize)
            return message.withUnsafeMutableBytes { bytes in
                let operation = ControlMessage.Operation.knownSites.rawValue
                bytes.storeBytes(of: operation, toByteOffset: 0, as: UInt32.self)
                bytes.storeBytes(of: count, toByteOffset: 8, as: UInt64.self)
                server.answer(bytes)
                return bytes.loadUnaligned(fromByteOffset: 16, as: Int64.self)
            }
        }
        #expect(tell(14) == -Int64(EINVAL))
        #expect(tell(.max) == -Int64(EINVAL))
        for _ in 0..<KnownSite.limit / 13 { #expect(tell(13) == 13) }
        #expect(tell(13) == -Int64(ENOSPC))
        #expect(server.knownSites.count <= KnownSite.limit)
    }

    /// Runs a script in a folder with a `file` of ten bytes; `"$@"` asks what is appended to it.
    private func ask(_ script: String) throws -> Outcome {
        let folder = try TemporaryFolder()
        let program = try folder.addProgram()
        try folder.add("file", Array("0123456789".utf8))
        let line = "cd \"$1\"; ask() { \"$0\" ./program ask \"$@\"; }; " + script
        return try CommandFixture.shell(line, [folder.path, program])
    }

    @Test func aRegularFileCanBeSoughtAndTruncated() throws {
        #expect(try ask("ask 2 0 4 0 <file").output == "4 0 0\n")
        #expect(try ask("ask 2 0 -3 2 <file").output.hasPrefix("7 "))
        #expect(try ask("ask 2 0 -30 2 <file").output.hasPrefix("-\(EINVAL) "))
        #expect(try ask("ask 4 0 3 <>file; wc -c <file").output == "0 0 0\n3\n")
        #expect(try ask("ask 5 0 0 <file").output == "0 0 0\n")
        #expect(try ask("ask 6 0 0 <file").output == "0 \(S_IFREG | 0o644) 0\n")
    }

    @Test func theBytesThatWaitInAPipeAreCounted() throws {
        #expect(try ask("printf 12345 | { sleep 0.1; ask 1 0 0x541b; }").output == "0 5 0\n")
        #expect(try ask("printf 12345 | ask 2 0 0 0").output.hasPrefix("-\(ESPIPE) "))
        #expect(try ask("ask 1 0 0x5401 </dev/null").output.hasPrefix("-\(ENOTTY) "))
    }
}
