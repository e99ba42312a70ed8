import FakePlatform
import LinuxABI
import NineP
import Testing

@testable import Kernel

/// Talking to a server of files in 9P2000.L.
@Suite struct NinePTests {
    private static let version = Array("9P2000.L".utf8)
    private static let noTag: [UInt8] = [0xff, 0xff]

    private static func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func message(_ type: UInt8, _ tag: [UInt8], _ contents: [UInt8]) -> [UInt8] {
        little(UInt32(7 + contents.count)) + [type] + tag + contents
    }

    private static func agreement(_ limit: UInt32, _ language: [UInt8] = version) -> [UInt8] {
        message(101, noTag, little(limit) + [UInt8(language.count), 0] + language)
    }

    private static let root = [0x80] + little(3) + little(0x55aa) + little(1)

    /// A server as it should be: what it answers to each type of request.
    private static func answers(to request: [UInt8]) -> [UInt8]? {
        switch request[4] {
        case 100: agreement(8192)
        case 104: message(105, [0, 0], root)
        case 120: message(121, [0, 0], [])
        default: nil
        }
    }

    private func withServer(
        _ server: @escaping ([UInt8]) -> [UInt8]? = answers,
        _ body: () throws -> Void
    ) rethrows {
        try withMachine {
            FakePlatform.fileServers = [server]
            try body()
        }
    }

    @Test func aServerIsAskedForItsLanguageAndItsFolder() throws {
        var requests: [[UInt8]] = []
        try withServer({ request in
            requests.append(request)
            return Self.answers(to: request)
        }) {
            let server = try FileServers.connect(0)
            #expect(server.messageLimit == 8192)
            let root = try server.attach(user: 1000)
            #expect(root.identity == .init(type: 0x80, version: 3, path: 1 << 32 | 0x55aa))
            #expect(root.file == 1)
            server.forget(root.file)
        }
        #expect(
            requests == [
                Self.message(100, Self.noTag, Self.little(8192) + [8, 0] + Self.version),
                Self.message(
                    104,
                    [0, 0],
                    Self.little(1) + Self.little(.max) + [0, 0, 0, 0] + Self.little(1000)
                ),
                Self.message(120, [0, 0], Self.little(1)),
            ]
        )
    }

    @Test func aServerThatIsNotThereIsNone() {
        withServer {
            #expect(throws: Errno.noSuchDeviceOrAddress) { try FileServers.connect(1) }
        }
    }

    @Test(arguments: [(4096, 4096), (8192, 8192), (.max, 8192)] as [(UInt32, Int)])
    func theShorterLimitHolds(told: UInt32, limit: Int) throws {
        try withServer({ _ in Self.agreement(told) }) {
            let server = try FileServers.connect(0)
            #expect(server.messageLimit == limit)
        }
    }

    @Test func anotherLanguageIsNotSpoken() {
        for language in ["unknown", "9P2000", "9P2000.u", "9P2000.LL", ""] {
            withServer({ _ in Self.agreement(8192, Array(language.utf8)) }) {
                #expect(throws: Errno.notSupported) { try FileServers.connect(0) }
            }
        }
        withServer({ _ in Self.agreement(4095) }) {
            #expect(throws: Errno.notSupported) { try FileServers.connect(0) }
        }
    }

    /// Wherever an answer ends, nothing is read behind it.
    @Test func aShortAnswerIsAnError() {
        for type in [100, 104] as [UInt8] {
            let length = Self.answers(to: [0, 0, 0, 0, type])!.count
            for end in 7..<(type == 100 ? length : length - 1) {
                withServer({ request in
                    let answer = Self.answers(to: request)
                    return request[4] == type ? answer.map { Array($0.prefix(end)) } : answer
                }) {
                    #expect(throws: Errno.inputOutputError) {
                        _ = try FileServers.connect(0).attach(user: 0)
                    }
                }
            }
        }
    }

    @Test(arguments: [(2, 2), (95, 95), (0, 5), (4096, 5), (.max, 5)] as [(UInt32, UInt16)])
    func aFailureOfTheServerIsTheCallers(told: UInt32, error: UInt16) {
        let failure = Self.message(7, [0, 0], Self.little(told))
        withServer({ $0[4] == 104 ? failure : Self.answers(to: $0) }) {
            #expect(throws: Errno(rawValue: error)) {
                _ = try FileServers.connect(0).attach(user: 0)
            }
        }
    }

    @Test func aServerThatDoesNotAnswerIsAnError() {
        withServer({ _ in nil }) {
            #expect(throws: Errno.inputOutputError) { try FileServers.connect(0) }
        }
    }
}
