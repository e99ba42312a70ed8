import Foundation
import NineP
import Testing

@testable import FolderServer

/// Requests and answers over a socket.
@Suite struct ConnectionTests {
    private static func message(_ server: UInt32, _ type: UInt8, _ contents: [UInt8]) -> [UInt8] {
        little(server) + little(UInt32(7 + contents.count)) + [type, 0, 0] + contents
    }

    private static func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static let version = little(65536) + [8, 0] + Array("9P2000.L".utf8)

    /// Sends what a client says, in pieces, and reads until the server has ended. A piece may wait until what
    /// came before it is answered.
    private func talk(_ pieces: [[UInt8]], inTurn: Bool = false) throws -> [UInt8] {
        var ends: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let folder = open("/tmp", placeOnly | O_DIRECTORY | O_CLOEXEC)
        let connection = FolderConnection(
            socket: ends[1],
            servers: [FolderServer(folder: folder, isReadOnly: true)]
        )
        #expect(connection.start())
        var answers: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        for piece in pieces {
            _ = send(ends[0], piece, piece.count, Int32(MSG_NOSIGNAL))
            guard inTurn else { continue }
            // Answers are sent whole.
            let count = recv(ends[0], &chunk, chunk.count, 0)
            if count > 0 { answers += chunk[..<count] }
        }
        shutdown(ends[0], Int32(SHUT_WR))
        while true {
            let count = recv(ends[0], &chunk, chunk.count, 0)
            guard count > 0 else { break }
            answers += chunk[..<count]
        }
        close(ends[0])
        return answers
    }

    @Test func aRequestMayComeInPieces() throws {
        let request = Self.message(0, MessageType.version.rawValue, Self.version)
        let whole = try talk([request])
        #expect(whole.count == 7 + Self.version.count && whole[4] == 101)
        #expect(try talk(request.map { [$0] }) == whole)
    }

    @Test func whatIsNoRequestEndsTheService() throws {
        let good = Self.message(0, MessageType.version.rawValue, Self.version)
        let answer = try talk([good])
        // No such folder; too short a message; too long a one; a second before the first's answer.
        #expect(try talk([Self.message(1, 100, Self.version)]).isEmpty)
        #expect(try talk([[0, 0, 0, 0, 6, 0, 0, 0, 100, 0, 0]]).isEmpty)
        #expect(try talk([[0, 0, 0, 0, 1, 0, 1, 0, 100, 0, 0]]).isEmpty)
        #expect(try talk([good + good]).isEmpty)
        #expect(
            try talk([good, Self.message(0, 255, [])], inTurn: true).count == answer.count + 11
        )
    }
}
