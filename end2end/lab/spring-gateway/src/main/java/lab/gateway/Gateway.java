package lab.gateway;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.io.Resource;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.web.server.ServerHttpSecurity;
import org.springframework.security.converter.RsaKeyConverters;
import org.springframework.security.oauth2.jwt.JwtClaimValidator;
import org.springframework.security.oauth2.jwt.JwtIssuerValidator;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusReactiveJwtDecoder;
import org.springframework.security.oauth2.jwt.ReactiveJwtDecoder;
import org.springframework.security.web.server.SecurityWebFilterChain;

/** The API gateway of the system under migration: it lets nobody by without a token of the realm. */
@SpringBootApplication
public class Gateway {
  public static void main(String[] arguments) {
    SpringApplication.run(Gateway.class, arguments);
  }

  /** Probes and Prometheus come without a token, to the port of their own. */
  @Bean
  SecurityWebFilterChain security(ServerHttpSecurity http) {
    return http
        .csrf(ServerHttpSecurity.CsrfSpec::disable)
        .authorizeExchange(ask -> ask.pathMatchers("/actuator/**").permitAll().anyExchange().authenticated())
        .oauth2ResourceServer(server -> server.jwt(Customizer.withDefaults()))
        .build();
  }

  /**
   * By the one key that it was deployed with, as many gateways are: pods of the lab have no way to Keycloak, and tokens of a key that
   * came later are refused.
   */
  @Bean
  ReactiveJwtDecoder tokens(
      @Value("${jwt.key}") Resource key, @Value("${jwt.issuer}") String issuer, @Value("${jwt.audience}") String audience, MeterRegistry meters)
      throws IOException {
    NimbusReactiveJwtDecoder decoder;
    try (InputStream pem = key.getInputStream()) {
      decoder = NimbusReactiveJwtDecoder.withPublicKey(RsaKeyConverters.x509().convert(pem)).build();
    }
    decoder.setJwtValidator(JwtValidators.createDefaultWithValidators(
        new JwtIssuerValidator(issuer),
        new JwtClaimValidator<List<String>>("aud", named -> named != null && named.contains(audience))));
    // Both from the start, so that neither series is missing before its first token.
    Counter good = meters.counter("jwt.validations", "result", "success");
    Counter bad = meters.counter("jwt.validations", "result", "failure");
    return token -> decoder.decode(token).doOnSuccess(it -> good.increment()).doOnError(it -> bad.increment());
  }
}
